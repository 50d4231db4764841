import { type Caller, type Grant, type Ledger, type Millis, Refusal } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { LONGEST_PAUSE } from "./pause.ts";

/**
 * Claims, and while others hold the tasks tries again whenever the ledger changed or a lease may have ended.
 * @param wait milliseconds to try for; 0 asks once. Throws the last refusal after that.
 * @param beforeTry called before each try: a lease counts from before it was asked for.
 */
export async function claimWhenFree(
  ledger: Ledger,
  ids: readonly number[],
  caller: Caller,
  ttl: Millis,
  wait: Millis,
  interrupted: AbortSignal,
  beforeTry: () => void = () => {},
): Promise<Grant[]> {
  const end = monotonic() + wait;
  for (;;) {
    beforeTry();
    try {
      return await ledger.claim(ids, caller, ttl);
    } catch (error) {
      const left = end - monotonic();
      if (!(error instanceof Refusal) || !isPassing(error) || left <= 0) throw error;
      if (interrupted.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
      await ledger.changed(Math.min(left, pause(error)));
    }
  }
}

/** Refusals that time may cure. */
function isPassing(refusal: Refusal): boolean {
  return refusal.code === "held" || refusal.code === "blocked";
}

function pause(refusal: Refusal): Millis {
  const left = (refusal.lease?.secondsLeft ?? 1) * 1000;
  return Math.max(5, Math.min(left, LONGEST_PAUSE));
}
