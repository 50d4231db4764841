import { type Caller, type Grant, type Ledger, type Millis, Refusal } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { Asking } from "./asking.ts";
import type { Waiting } from "./outage.ts";
import { LONGEST_PAUSE } from "./pause.ts";

/**
 * Claims, and while others hold the tasks tries again whenever the ledger changed or a lease may have ended, over outages
 * of the server too. @param wait milliseconds to try for; 0 asks once. Throws the last refusal after that, or `unavailable`.
 * @param beforeTry called before each try: a lease counts from before it was asked for.
 */
export async function claimWhenFree(
  ledger: Ledger,
  ids: readonly number[],
  caller: Caller,
  ttl: Millis,
  wait: Millis,
  waiting: Waiting,
  beforeTry: () => void = () => {},
): Promise<Grant[]> {
  const end = monotonic() + wait;
  const asking = new Asking(ledger, { ...waiting, until: end });
  for (;;) {
    beforeTry();
    try {
      const grants = await asking.ask((asked) => asked.claim(ids, caller, ttl));
      if (grants) return grants;
      requireGoOn(waiting);
    } catch (error) {
      const left = end - monotonic();
      if (!(error instanceof Refusal) || !isPassing(error) || left <= 0) throw error;
      requireGoOn(waiting);
      await asking.pause(Math.min(left, pause(error)));
    }
  }
}

function requireGoOn({ stop }: Waiting): void {
  if (stop.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
}

/** Refusals that time may cure. */
function isPassing(refusal: Refusal): boolean {
  return refusal.code === "held" || refusal.code === "blocked";
}

function pause(refusal: Refusal): Millis {
  const left = (refusal.lease?.secondsLeft ?? 1) * 1000;
  return Math.max(5, Math.min(left, LONGEST_PAUSE));
}
