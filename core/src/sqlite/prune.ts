import type { Pruned } from "../ledger.ts";
import { badInput } from "../refusal.ts";
import { type Millis, toStoreTime } from "../time.ts";
import { ENDS, GAINS } from "./journal.ts";
import { prunedThrough, writeMetaValue } from "./meta.ts";
import type { Store, Tx } from "./store.ts";

/** The newest of these kinds by each holder of each task. */
const newestOf = (kinds: string) =>
  `SELECT max(seq) FROM alai_events WHERE kind IN (${kinds}) GROUP BY task_id, actor, session`;

/**
 * Old events that nothing hangs on. What stays: the newest of all, which numbers and time go on from; what each holder last
 * gained and gave up, from which the lease's rules know a superseded worker; imports, by which a second run finds what is
 * here; how the file was adopted; approvals that are still good.
 */
const OLD = `at < ?1 AND seq < (SELECT max(seq) FROM alai_events)`;
const DROP = `DELETE FROM alai_events WHERE ${OLD} AND kind NOT IN ('imported', 'adopted', 'undone')
  AND NOT (kind = 'approved' AND json_extract(data, '$.until') > ?2)
  AND seq NOT IN (${newestOf(GAINS)}) AND seq NOT IN (${newestOf(ENDS)}) RETURNING seq`;

/** A change that stays must not be undone twice: the mark goes with its target, never before it. */
const DROP_UNDONE = `DELETE FROM alai_events WHERE ${OLD} AND kind = 'undone'
  AND json_extract(data, '$.undoes') NOT IN (SELECT seq FROM alai_events) RETURNING seq`;

/** Drops what is older than `before`. Throws `BadInput` when that is no time. */
export function prune(store: Store, tx: Tx, before: Millis): Pruned {
  if (Number.isNaN(before)) throw badInput("Prune needs the time before which events are dropped.");
  // Nothing is newer than now, and nothing older than 1970: within these any number can be written as a time.
  const limit = toStoreTime(Math.min(Math.max(before, 0), tx.now + 1));
  let dropped = 0;
  let through = prunedThrough(store);
  const count = (rows: Iterable<{ readonly seq?: unknown }>) => {
    for (const { seq } of rows) {
      dropped += 1;
      through = Math.max(through, Number(seq));
    }
  };
  count(store.each(DROP, limit, tx.now));
  count(store.each(DROP_UNDONE, limit));
  if (dropped > 0) writeMetaValue(store, "pruned", String(through));
  return { dropped, through };
}
