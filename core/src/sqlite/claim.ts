import { formatHolder, type Holder } from "../holder.ts";
import {
  DEFAULT_TTL,
  decideClaim,
  decideExtend,
  decideRelease,
  extendedUntil,
  isLive,
  type LeaseRow,
  leaseState,
} from "../lease.ts";
import type { Caller, Grant, LeaseStatus, NextTask, Released, SweptLease } from "../ledger.ts";
import type { TaskFilter } from "../query.ts";
import { notFound, Refusal } from "../refusal.ts";
import { fromStoreTime, type Millis } from "../time.ts";
import { LIVE_STATUSES, readStatus, type Status } from "../vocabulary.ts";
import { explainNext } from "./explain.ts";
import { Filters } from "./filter.ts";
import { memoryOf } from "./journal.ts";
import { col, readLease, readTask, selectColumns, selectList, storableUntil, writeTime } from "./rows.ts";
import type { Row, Store, Tx } from "./store.ts";

/** A renewal is journalled at most this often: heartbeats do not make the file grow (claims.md §c.9). */
const RENEWAL_JOURNAL_INTERVAL: Millis = 10 * 60_000;

/** What every lease verb reads of a task, under the lock. */
export interface LockedTask extends LeaseRow {
  readonly title: string;
  readonly status: Status | null;
  readonly statusText: string;
  readonly ttl: Millis;
  /** It has blockers, open or not. */
  readonly waits: boolean;
}

const LOCKED_COLUMNS = ["id", "title", "status", "lease_holder", "lease_until", "lease_ttl", "lease_fence"] as const;

function lockedTaskSql(store: Store): string {
  const id = col(store, "id");
  const waits = `EXISTS (SELECT 1 FROM alai_deps WHERE task_id = ${id}) AS "$waits"`;
  return `SELECT ${selectColumns(store.columns, LOCKED_COLUMNS)}, ${waits} FROM tasks t WHERE ${id} = ?`;
}

/** Reads the lease part of a task. Throws `not_found`. */
export function lockedTask(store: Store, id: number): LockedTask {
  const row = store.get(
    store.sql("locked task", () => lockedTaskSql(store)),
    id,
  );
  if (!row) throw notFound(id);
  return {
    ...readLease(row),
    title: String(row.$title ?? ""),
    status: readStatus(row.$status),
    statusText: String(row.$status),
    ttl: Number(row.$lease_ttl) || DEFAULT_TTL,
    waits: Number(row.$waits) > 0,
  };
}

export function claimOne(store: Store, tx: Tx, id: number, caller: Caller, ttl: Millis): Grant {
  const task = lockedTask(store, id);
  const me = formatHolder(caller);
  const { again } = decideClaim(task, me, tx.now);
  // A retry never shortens: neither the lease nor what later renewals go by.
  if (again) return renew(store, tx, task, caller, Math.max(ttl, task.ttl), true);
  requireClaimable(store, tx, task);
  return acquire(store, tx, task, caller, ttl);
}

/** Gives the lease to `caller`: the fence rises by one in the statement that decides the winner. */
function acquire(store: Store, tx: Tx, task: LockedTask, caller: Holder, ttl: Millis): Grant {
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

/** Makes the caller's own live lease longer, never shorter. */
function renew(store: Store, tx: Tx, task: LockedTask, caller: Holder, ttl: Millis, idempotent: boolean): Grant {
  const until = storableUntil(store.columns, extendedUntil(task, tx.now, ttl));
  const n = store.names;
  store.run(
    `UPDATE tasks SET ${n.lease_until} = ?, ${n.lease_ttl} = ? WHERE ${n.id} = ? AND ${isHolder(store)}`,
    writeTime(store.columns, "lease_until", until),
    ttl,
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

export function releaseOne(store: Store, tx: Tx, id: number, caller: Caller): Released {
  const task = lockedTask(store, id);
  const { already } = decideRelease(task, formatHolder(caller), tx.now, caller.fence, () =>
    memoryOf(store, id, caller),
  );
  if (!already) {
    clearLease(store, task);
    tx.append({ task: id, kind: "released", by: caller, fence: task.fence });
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
function isHolder(store: Store): string {
  return `coalesce(CAST(${store.names.lease_holder} AS TEXT), '') = ?`;
}

export function statusOne(store: Store, now: Millis, id: number, holder: Holder): LeaseStatus {
  const task = lockedTask(store, id);
  const state = leaseState(task, now);
  return {
    id,
    title: task.title,
    state,
    holder: task.holder,
    until: task.until,
    fence: task.fence,
    seconds_left: task.holder === null || task.until === null ? null : Math.ceil((task.until - now) / 1000),
    mine: state === "held" && task.holder === formatHolder(holder),
  };
}

/** Lists leases that ran out; clears them when asked. The fence is left alone, so a late holder may still finish. */
export function sweepAll(store: Store, tx: Tx, caller: Caller, autoRelease: boolean): SweptLease[] {
  const { sql, params } = new Filters(store.columns, tx.now).where({ status: [], expired: true });
  const list = selectList(store.columns, ["id", "title", "lease_holder", "lease_until", "fence"]);
  const rows = store.all(`SELECT ${list} FROM tasks t WHERE ${sql} ORDER BY ${col(store, "id")}`, ...params);
  return rows.map((row) => {
    const lease = readLease(row);
    if (autoRelease) {
      clearLease(store, lease);
      tx.append({
        task: lease.id,
        kind: "expired",
        by: caller,
        fence: lease.fence,
        data: { prev_holder: lease.holder, prev_until: lease.until },
      });
    }
    return {
      id: lease.id,
      title: String(row.$title ?? ""),
      holder: lease.holder ?? "",
      until: lease.until ?? 0,
      fence: lease.fence,
      released: autoRelease,
    };
  });
}

/** The first claimable task in urgency order. Throws `none_ready`. */
export function nextOne(store: Store, now: Millis, filter: TaskFilter): NextTask {
  const filters = new Filters(store.columns, now);
  const claimable = filters.claimable();
  const wanted = filters.where({ ...filter, status: filter.status ?? [] });
  const where = `${claimable.sql} AND ${wanted.sql}`;
  const order = filters.orderBy([{ key: "urgency", descending: false }]);
  const params = [...claimable.params, ...wanted.params];
  const row = store.get(
    `SELECT ${selectList(store.columns)} FROM tasks t WHERE ${where} ORDER BY ${order} LIMIT 1`,
    ...params,
  );
  if (!row)
    throw new Refusal("none_ready", "No task is ready: every open one is held, blocked, deferred or filtered out.", {
      hint: "See what stands in the way with `alai mc list --held` and `alai mc list --blocked`.",
    });
  const ready = Number(store.get(`SELECT count(*) AS n FROM tasks t WHERE ${where}`, ...params)?.n);
  const task = readTask(row, store.columns, now);
  return { task, why: explainNext(task, ready, now), grant: null };
}

export function claimNext(store: Store, tx: Tx, filter: TaskFilter, caller: Caller, ttl: Millis): NextTask {
  const next = nextOne(store, tx.now, filter);
  const locked = lockedTask(store, next.task.id);
  // The filter has decided already; this is the lease's own rule, which must agree before anyone's task is taken.
  decideClaim(locked, formatHolder(caller), tx.now);
  const grant = acquire(store, tx, locked, caller, ttl);
  const task = { ...next.task, lease_state: "held", lease_holder: grant.holder, lease_until: grant.until } as const;
  return { ...next, task: { ...task, fence: grant.fence, attempts: task.attempts + 1 }, grant };
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
