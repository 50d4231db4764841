import { formatHolder } from "../holder.ts";
import { decideRelease, type LeaseRow } from "../lease.ts";
import type { Caller, Released, SweptLease } from "../ledger.ts";
import { expiredEvent, lapsedLease, releasedEvent } from "../rules/release.ts";
import type { Millis } from "../time.ts";
import { Filters } from "./filter.ts";
import { memoryOf } from "./journal.ts";
import { lockedTask } from "./locked-task.ts";
import { col, readLease, selectList } from "./rows.ts";
import type { Store, Tx } from "./store.ts";

export function releaseOne(store: Store, tx: Tx, id: number, caller: Caller): Released {
  const task = lockedTask(store, id);
  const { already } = decideRelease(task, formatHolder(caller), tx.now, caller.fence, () =>
    memoryOf(store, id, caller),
  );
  if (!already) {
    clearLease(store, task);
    tx.append(releasedEvent(task, caller));
  }
  return { id, fence: task.fence, already_free: already };
}

/** Takes the holder off a row; the fence stays. */
export function clearLease(store: Store, task: LeaseRow): void {
  const n = store.names;
  store.run(
    `UPDATE tasks SET ${n.lease_holder} = NULL, ${n.lease_until} = NULL, ${n.lease_ttl} = NULL WHERE ${n.id} = ? AND ${isHolder(store)}`,
    task.id,
    task.holder ?? "",
  );
}

/** True of the holder that was read, `""` for none. Another program may keep a number here, or an empty text for nobody. */
export function isHolder(store: Store): string {
  return `coalesce(CAST(${store.names.lease_holder} AS TEXT), '') = ?`;
}

/** Leases that ran out and that nobody released or took since. */
export function listExpired(store: Store, now: Millis): SweptLease[] {
  const { sql, params } = new Filters(store.columns, now).where({ status: [], expired: true });
  const list = selectList(store.columns, ["id", "title", "lease_holder", "lease_until", "fence"]);
  const rows = store.all(`SELECT ${list} FROM tasks t WHERE ${sql} ORDER BY ${col(store, "id")}`, ...params);
  return rows.map((row) => lapsedLease(readLease(row), String(row.$title ?? "")));
}

/** Takes the holders off these. The fence is left alone, so a late holder may still finish. */
export function releaseExpired(store: Store, tx: Tx, caller: Caller): SweptLease[] {
  return listExpired(store, tx.now).map((lease) => {
    clearLease(store, lease);
    tx.append(expiredEvent(lease, caller));
    return { ...lease, released: true };
  });
}
