import { formatHolder } from "../holder.ts";
import { decideClaim } from "../lease.ts";
import type { Caller, NextTask } from "../ledger.ts";
import type { TaskFilter } from "../query.ts";
import { explainNext, noneReady, taken } from "../rules/next.ts";
import type { Millis } from "../time.ts";
import { acquire } from "./claim.ts";
import { Filters } from "./filter.ts";
import { lockedTask } from "./locked-task.ts";
import { readTask, selectList } from "./rows.ts";
import type { Store, Tx } from "./store.ts";

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
  if (!row) throw noneReady();
  const ready = Number(store.get(`SELECT count(*) AS n FROM tasks t WHERE ${where}`, ...params)?.n);
  const task = readTask(row, store.columns, now);
  return { task, why: explainNext(task, ready, now), grant: null };
}

export function claimNext(store: Store, tx: Tx, filter: TaskFilter, caller: Caller, ttl: Millis): NextTask {
  const next = nextOne(store, tx.now, filter);
  const locked = lockedTask(store, next.task.id);
  // The filter has decided already; this is the lease's own rule, which must agree before anyone's task is taken.
  decideClaim(locked, formatHolder(caller), tx.now);
  return taken(next, acquire(store, tx, locked, caller, ttl));
}
