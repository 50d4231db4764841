import { formatHolder, type Holder } from "../holder.ts";
import { decideClaim } from "../lease.ts";
import type { Caller, Grant } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Millis } from "../time.ts";
import { LIVE_STATUSES } from "../vocabulary.ts";
import { Filters } from "./filter.ts";
import { type LockedTask, lockedTask } from "./locked-task.ts";
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
  const me = formatHolder(caller);
  const until = storableUntil(store.columns, tx.now + ttl);
  const won = store.get(
    store.sql("acquire", () => acquireSql(store)),
    me,
    writeTime(store.columns, "lease_until", until),
    ttl,
    task.id,
    task.fence,
    task.holder ?? "",
  );
  // Under the write lock the row cannot have moved since it was read.
  if (!won) throw new Error(`task ${task.id} moved under the write lock`);
  const fence = Number(won.fence);
  const takenOver = task.holder !== null;
  tx.append({
    task: task.id,
    kind: takenOver ? "taken_over" : "acquired",
    by: caller,
    fence,
    data: {
      ttl,
      until,
      ...(takenOver && { prev_holder: task.holder, prev_until: task.until, prev_fence: task.fence }),
    },
  });
  return { id: task.id, title: task.title, holder: me, fence, until, ttl, idempotent: false, previous: task.holder };
}

function acquireSql(store: Store): string {
  const n = store.names;
  return `UPDATE tasks SET ${n.lease_holder} = ?, ${n.lease_until} = ?, ${n.lease_ttl} = ?, ${n.lease_fence} = coalesce(${n.lease_fence}, 0) + 1, ${n.attempts} = coalesce(${n.attempts}, 0) + 1 WHERE ${n.id} = ? AND coalesce(${n.lease_fence}, 0) = ? AND ${isHolder(store)} RETURNING ${n.lease_fence} AS fence`;
}

function requireClaimable(store: Store, tx: Tx, task: LockedTask): void {
  if (!task.status || !LIVE_STATUSES.includes(task.status))
    throw new Refusal("not_open", `Task ${task.id} is ${task.statusText}; only open or ready tasks can be claimed.`, {
      taskId: task.id,
      hint: `Type \`alai mc reopen ${task.id}\` to open it again.`,
    });
  if (!task.waits) return;
  const filters = new Filters(store.columns, tx.now);
  const id = col(store, "id");
  if (!store.get(`SELECT 1 FROM tasks t WHERE ${id} = ? AND ${filters.openBlocker()}`, task.id)) return;
  const blockers = openBlockers(store, tx.now, task.id);
  throw new Refusal(
    "blocked",
    `Task ${task.id} waits for ${blockers.map((blocker) => `task ${blocker}`).join(", ")}.`,
    {
      taskId: task.id,
      hint: `Type \`alai mc show ${blockers[0]}\` to see what it waits for.`,
    },
  );
}

function openBlockers(store: Store, now: Millis, id: number): number[] {
  const filters = new Filters(store.columns, now);
  const closed = filters.statusIn(["done", "cancelled"]);
  const sql = `SELECT d.blocker_id AS id FROM alai_deps d JOIN tasks t ON ${col(store, "id")} = d.blocker_id WHERE d.task_id = ? AND NOT (${closed}) ORDER BY 1`;
  return store.all(sql, id).map((row: Row) => Number(row.id));
}
