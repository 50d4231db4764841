import { DEFAULT_TTL } from "../lease.ts";
import { notFound } from "../refusal.ts";
import type { LockedTask } from "../rules/locked-task.ts";
import { readStatus } from "../vocabulary.ts";
import { col, readLease, selectColumns } from "./rows.ts";
import type { Store } from "./store.ts";

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
