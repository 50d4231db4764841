import { formatHolder, type Holder } from "../holder.ts";
import { decideExtend, extendedUntil, isLive } from "../lease.ts";
import type { Caller, Grant } from "../ledger.ts";
import { fromStoreTime, type Millis } from "../time.ts";
import { memoryOf } from "./journal.ts";
import { type LockedTask, lockedTask } from "./locked-task.ts";
import { isHolder } from "./release.ts";
import { storableUntil, writeTime } from "./rows.ts";
import type { Store, Tx } from "./store.ts";

/** A renewal is journalled at most this often: heartbeats do not make the file grow (claims.md §c.9). */
const RENEWAL_JOURNAL_INTERVAL: Millis = 10 * 60_000;

/** Makes the caller's own live lease longer, never shorter; a retry does not shorten what later renewals go by either. */
export function renew(store: Store, tx: Tx, task: LockedTask, caller: Holder, ttl: Millis, idempotent: boolean): Grant {
  const until = storableUntil(store.columns, extendedUntil(task, tx.now, ttl));
  const n = store.names;
  store.run(
    `UPDATE tasks SET ${n.lease_until} = ?, ${n.lease_ttl} = ? WHERE ${n.id} = ? AND ${isHolder(store)}`,
    writeTime(store.columns, "lease_until", until),
    idempotent ? Math.max(ttl, task.ttl) : ttl,
    task.id,
    task.holder ?? "",
  );
  if (renewalIsDue(store, tx, task))
    tx.append({ task: task.id, kind: "renewed", by: caller, fence: task.fence, data: { ttl, until } });
  const holder = formatHolder(caller);
  return { id: task.id, title: task.title, holder, fence: task.fence, until, ttl, idempotent, previous: null };
}

function renewalIsDue(store: Store, tx: Tx, task: LockedTask): boolean {
  const last = store.get(
    "SELECT at FROM alai_events WHERE task_id = ? AND kind IN ('acquired', 'taken_over', 'renewed') ORDER BY seq DESC LIMIT 1",
    task.id,
  );
  return tx.now - (fromStoreTime(last?.at) ?? 0) >= RENEWAL_JOURNAL_INTERVAL;
}

/** Every verb of the holder keeps its lease alive: nobody heartbeats by hand (rule 7). */
export function renewIfMine(store: Store, tx: Tx, task: LockedTask, caller: Caller): void {
  if (isLive(task, tx.now) && task.holder === formatHolder(caller)) renew(store, tx, task, caller, task.ttl, true);
}

export function extendOne(store: Store, tx: Tx, id: number, caller: Caller, ttl?: Millis): Grant {
  const task = lockedTask(store, id);
  decideExtend(task, formatHolder(caller), tx.now, caller.fence, () => memoryOf(store, id, caller));
  return renew(store, tx, task, caller, ttl ?? task.ttl, false);
}
