import type { LedgerEvent } from "../event.ts";
import type { Holder } from "../holder.ts";
import type { HolderMemory } from "../lease.ts";
import { readEvent } from "./rows.ts";
import type { Store } from "./store.ts";

const GAINS = "'acquired', 'taken_over'";
/** Verbs by which a holder gives its lease up itself. */
const ENDS = "'released', 'done', 'ready', 'paused', 'cancelled'";

/** What the journal remembers of one holder on one task: its newest fence, and whether it gave that up itself. */
export function memoryOf(store: Store, task: number, holder: Holder): HolderMemory {
  const row = store.get(
    `SELECT kind, fence FROM alai_events WHERE task_id = ? AND actor = ? AND session = ? AND kind IN (${GAINS}, ${ENDS}) AND fence IS NOT NULL ORDER BY seq DESC LIMIT 1`,
    task,
    holder.actor,
    holder.session,
  );
  if (!row) return { fence: null, ended: true };
  return { fence: Number(row.fence), ended: ENDS.includes(`'${row.kind}'`) };
}

/** Events after a sequence number, oldest first; or the `last` few. */
export function listEvents(
  store: Store,
  query: { after?: number; task?: number; limit?: number; last?: number },
): LedgerEvent[] {
  const where = query.task === undefined ? "seq > ?" : "seq > ? AND task_id = ?";
  const params = query.task === undefined ? [query.after ?? 0] : [query.after ?? 0, query.task];
  if (query.last !== undefined) {
    const rows = store.all(`SELECT * FROM alai_events WHERE ${where} ORDER BY seq DESC LIMIT ?`, ...params, query.last);
    return rows.reverse().map(readEvent);
  }
  return store
    .all(`SELECT * FROM alai_events WHERE ${where} ORDER BY seq LIMIT ?`, ...params, query.limit ?? -1)
    .map(readEvent);
}
