import type { Ledger, LedgerEvent, Millis } from "@alai/core";

const LONGEST_PAUSE: Millis = 1000;

/**
 * Hands on events after `seen` as they are committed, each once and in order, until `stop`. Those of other tasks are read
 * too: a reader that knew only its task's number would one day ask for a part of the journal that is not kept any more.
 */
export async function followEvents(
  ledger: Ledger,
  seen: number,
  task: number | undefined,
  stop: AbortSignal,
  hand: (events: readonly LedgerEvent[]) => void,
): Promise<void> {
  let after = seen;
  while (!stop.aborted) {
    const events = await ledger.events({ after });
    hand(task === undefined ? events : events.filter((event) => event.task === task));
    after = events.at(-1)?.seq ?? after;
    await ledger.changed(LONGEST_PAUSE);
  }
}
