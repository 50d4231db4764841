import type { LedgerEvent } from "../event.ts";
import type { Holder } from "../holder.ts";
import { requireKept } from "../journal.ts";
import type { HolderMemory } from "../lease.ts";
import type { EventQuery } from "../ledger.ts";
import { requireTask } from "./existing.ts";
import { prunedThrough } from "./meta.ts";
import { readEvent } from "./rows.ts";
import type { Store } from "./store.ts";

export const GAINS = "'acquired', 'taken_over'";
/** Verbs by which a holder gives its lease up itself. */
export const ENDS = "'released', 'done', 'ready', 'paused', 'cancelled'";

/** What the journal remembers of one holder on one task: its newest fence, and whether it gave that up itself. */
export function memoryOf(store: Store, task: number, holder: Holder): HolderMemory {
  const mine = "task_id = ? AND actor = ? AND session = ?";
  const row = store.get(
    `SELECT fence, EXISTS (SELECT 1 FROM alai_events WHERE ${mine} AND kind IN (${ENDS}) AND seq > gain.seq) AS ended FROM alai_events gain WHERE ${mine} AND kind IN (${GAINS}) ORDER BY seq DESC LIMIT 1`,
    ...[task, holder.actor, holder.session],
    ...[task, holder.actor, holder.session],
  );
  return row ? { fence: Number(row.fence), ended: Number(row.ended) === 1 } : { fence: null, ended: true };
}

/**
 * Events after a sequence number, oldest first; or the `last` few. Throws `pruned` when some after that number are not kept
 * any more, those of other tasks too: which task a dropped event was of is not known. Without a number it is what there is.
 * Throws `not_found` for a task that there neither is nor was.
 */
export function listEvents(store: Store, query: EventQuery): LedgerEvent[] {
  const { after = 0, task, last } = query;
  if (query.after !== undefined) requireKept(query.after, prunedThrough(store));
  const where = task === undefined ? "seq > ?" : "seq > ? AND task_id = ?";
  const params = task === undefined ? [after] : [after, task];
  const order = last === undefined ? "seq" : "seq DESC";
  const rows = store.all(
    `SELECT * FROM alai_events WHERE ${where} ORDER BY ${order} LIMIT ?`,
    ...params,
    last ?? query.limit ?? -1,
  );
  if (rows.length === 0 && task !== undefined && !wasThere(store, task)) requireTask(store, task);
  return (last === undefined ? rows : rows.reverse()).map(readEvent);
}

/** Another program may have taken a task away whose story is still here. */
function wasThere(store: Store, task: number): boolean {
  return store.get("SELECT 1 FROM alai_events WHERE task_id = ? LIMIT 1", task) !== undefined;
}
