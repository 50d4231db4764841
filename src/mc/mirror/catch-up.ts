import { type DumpHead, type DumpRow, type LedgerEvent, type Millis, Refusal, type Transferable } from "@alai/core";
import { isSameRow } from "@alai/core/dump-rows";
import type { MirrorState } from "@alai/core/sqlite/mirror-file";

/** Why the mirror cannot go on from where it is. */
export interface Gap {
  readonly why: string;
  /** The mirror tells of something that the server does not know: it must not be lost. */
  readonly keep: boolean;
}

/** What came since, or why that cannot be told. */
export type News = { readonly rows: readonly DumpRow[] } | Gap;

/** Copied anew after so long at the latest: a server's own file may be written by another program, which tells no one. */
const STALE: Millis = 24 * 3_600_000;

/** Looks whether the mirror can be of this ledger still. Asked now and then: the server counts its rows for it. */
export function gapIn(head: DumpHead, mirror: MirrorState, now: Millis): Gap | null {
  const seq = mirror.newest?.seq ?? 0;
  if (head.ledger !== mirror.ledger) return { why: `the server has another ledger (${head.ledger})`, keep: true };
  if (head.seq < seq) return { why: `the server's journal ends at ${head.seq}, the mirror's at ${seq}`, keep: true };
  if (head.pruned > mirror.pruned) return { why: "the server has dropped old events", keep: false };
  const counts = (rows: DumpHead["rows"]) => [rows.task, rows.dependency, rows.evidence, rows.event].join();
  if (head.seq === seq && counts(head.rows) !== counts(mirror.rows))
    return { why: "the server has rows that its journal does not tell of", keep: false };
  if (now - mirror.copied > STALE) return { why: "the last whole copy is a day old", keep: false };
  return null;
}

/**
 * Asks for what came after the mirror's newest event, and for that event itself: where the server tells something else under
 * its number, the two have parted. @param held also tasks that are held: their leases are made longer without an event.
 */
export async function newsFor(server: Transferable, newest: LedgerEvent | null, held: boolean): Promise<News> {
  const rows: DumpRow[] = [];
  try {
    for await (const row of server.dump({ after: Math.max(0, (newest?.seq ?? 0) - 1), held })) rows.push(row);
  } catch (error) {
    if (error instanceof Refusal && error.code === "pruned")
      return { why: "the server has dropped events that the mirror has not seen", keep: false };
    throw error;
  }
  const events = rows.flatMap((row) => (row.table === "event" ? [row.row] : []));
  if (!continues(newest, events))
    return { why: `the server tells something else from event ${newest?.seq ?? 0} on`, keep: true };
  return { rows };
}

/** True when the events go on from `newest`, which is the first of them, without a gap. */
function continues(newest: LedgerEvent | null, events: readonly LedgerEvent[]): boolean {
  const [first] = events;
  if (newest && !(first && isSameRow(first, newest))) return false;
  const start = newest?.seq ?? 1;
  return events.every((event, at) => event.seq === start + at);
}
