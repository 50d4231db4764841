import { formatHolder, type Holder } from "../holder.ts";
import { decideClaim } from "../lease.ts";
import type { Caller, Grant } from "../ledger.ts";
import { acquiredEvent, acquiredGrant, blockedRefusal, requireOpen } from "../rules/claim.ts";
import type { LockedTask } from "../rules/locked-task.ts";
import type { Millis } from "../time.ts";
import { Filters } from "./filter.ts";
import { lockedTask } from "./locked-task.ts";
import { isHolder } from "./release.ts";
import { renew } from "./renew.ts";
import { col, storableUntil, writeTime } from "./rows.ts";
import type { Row, Store, Tx } from "./store.ts";

export function claimOne(store: Store, tx: Tx, id: number, caller: Caller, ttl: Millis): Grant {
  const task = lockedTask(store, id);
  const me = formatHolder(caller);
  const { again } = decideClaim(task, me, tx.now);
  if (again) return renew(store, tx, task, caller, ttl, true);
  requireClaimable(store, tx, task);
  return acquire(store, tx, task, caller, ttl);
}

/** Gives the lease to `caller`: the fence rises by one in the statement that decides the winner. */
export function acquire(store: Store, tx: Tx, task: LockedTask, caller: Holder, ttl: Millis): Grant {
  const until = storableUntil(store.columns, tx.now + ttl);
  const won = store.get(
    store.sql("acquire", () => acquireSql(store)),
    formatHolder(caller),
    writeTime(store.columns, "lease_until", until),
    ttl,
    task.id,
    task.fence,
    task.holder ?? "",
  );
  // Under the write lock the row cannot have moved since it was read.
  if (!won) throw new Error(`task ${task.id} moved under the write lock`);
  const fence = Number(won.fence);
  tx.append(acquiredEvent(task, caller, fence, until, ttl));
  return acquiredGrant(task, caller, fence, until, ttl);
}

function acquireSql(store: Store): string {
  const n = store.names;
  return `UPDATE tasks SET ${n.lease_holder} = ?, ${n.lease_until} = ?, ${n.lease_ttl} = ?, ${n.lease_fence} = coalesce(${n.lease_fence}, 0) + 1, ${n.attempts} = coalesce(${n.attempts}, 0) + 1 WHERE ${n.id} = ? AND coalesce(${n.lease_fence}, 0) = ? AND ${isHolder(store)} RETURNING ${n.lease_fence} AS fence`;
}

function requireClaimable(store: Store, tx: Tx, task: LockedTask): void {
  requireOpen(task);
  if (!task.waits) return;
  const filters = new Filters(store.columns, tx.now);
  const id = col(store, "id");
  if (!store.get(`SELECT 1 FROM tasks t WHERE ${id} = ? AND ${filters.openBlocker()}`, task.id)) return;
  throw blockedRefusal(task.id, openBlockers(store, tx.now, task.id));
}

function openBlockers(store: Store, now: Millis, id: number): number[] {
  const filters = new Filters(store.columns, now);
  const closed = filters.statusIn(["done", "cancelled"]);
  const sql = `SELECT d.blocker_id AS id FROM alai_deps d JOIN tasks t ON ${col(store, "id")} = d.blocker_id WHERE d.task_id = ? AND NOT (${closed}) ORDER BY 1`;
  return store.all(sql, id).map((row: Row) => Number(row.id));
}
