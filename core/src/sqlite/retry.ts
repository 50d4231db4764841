import { setTimeout as sleep } from "node:timers/promises";
import { monotonic } from "../monotonic.ts";
import { isBusy } from "./errors.ts";

/** How long a caller waits for the write lock before it is told `locked`. Milliseconds. */
export const DEFAULT_BUSY_LIMIT = 10_000;

/**
 * Runs `attempt` until it does not meet a lock. Our own jittered retry, because SQLite's busy handler is unfair: with four
 * writers it let one wait for 5 s (claims.md §0.4). The pause shrinks as the wait grows, so who waits longest asks most often.
 * @param limit milliseconds after which the lock's error is thrown.
 */
export async function retryBusy<T>(attempt: () => T, limit: number): Promise<T> {
  const start = monotonic();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      const waited = monotonic() - start;
      if (!isBusy(error) || waited >= limit) throw error;
      await sleep(pause(waited));
    }
  }
}

/** 1 to 12 ms at first, down to 1 to 3 ms after a tenth of a second. */
function pause(waited: number): number {
  const most = Math.max(3, 12 - waited / 10);
  return 1 + Math.random() * (most - 1);
}
