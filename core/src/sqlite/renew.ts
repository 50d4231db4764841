import { formatHolder, type Holder } from "../holder.ts";
import { decideExtend, extendedUntil } from "../lease.ts";
import type { Caller, Grant } from "../ledger.ts";
import type { LockedTask } from "../rules/locked-task.ts";
import { isRenewalDue, renewedEvent, renewedGrant, renewedTtl, renewsByActing } from "../rules/renew.ts";
import { fromStoreTime, type Millis } from "../time.ts";
import { memoryOf } from "./journal.ts";
import { lockedTask } from "./locked-task.ts";
import { isHolder } from "./release.ts";
import { storableUntil, writeTime } from "./rows.ts";
import type { Store, Tx } from "./store.ts";

/** Makes the caller's own live lease longer, never shorter; a retry does not shorten what later renewals go by either. */
export function renew(store: Store, tx: Tx, task: LockedTask, caller: Holder, ttl: Millis, idempotent: boolean): Grant {
  const until = storableUntil(store.columns, extendedUntil(task, tx.now, ttl));
  const n = store.names;
  store.run(
    `UPDATE tasks SET ${n.lease_until} = ?, ${n.lease_ttl} = ? WHERE ${n.id} = ? AND ${isHolder(store)}`,
    writeTime(store.columns, "lease_until", until),
    renewedTtl(task, ttl, idempotent),
    task.id,
    task.holder ?? "",
  );
  if (isRenewalDue(lastTold(store, task.id), tx.now)) tx.append(renewedEvent(task, caller, until, ttl));
  return renewedGrant(task, caller, until, ttl, idempotent);
}

/** When the journal last told of this lease. */
function lastTold(store: Store, id: number): Millis | null {
  const last = store.get(
    "SELECT at FROM alai_events WHERE task_id = ? AND kind IN ('acquired', 'taken_over', 'renewed') ORDER BY seq DESC LIMIT 1",
    id,
  );
  return fromStoreTime(last?.at);
}

/** Every verb of the holder keeps its lease alive: nobody heartbeats by hand (rule 7). */
export function renewIfMine(store: Store, tx: Tx, task: LockedTask, caller: Caller): void {
  if (renewsByActing(task, caller, tx.now)) renew(store, tx, task, caller, task.ttl, true);
}

export function extendOne(store: Store, tx: Tx, id: number, caller: Caller, ttl?: Millis): Grant {
  const task = lockedTask(store, id);
  decideExtend(task, formatHolder(caller), tx.now, caller.fence, () => memoryOf(store, id, caller));
  return renew(store, tx, task, caller, ttl ?? task.ttl, false);
}
