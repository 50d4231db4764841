import type { SQLInputValue } from "node:sqlite";
import type { DumpDependency, DumpEvidence, DumpTask } from "../dump.ts";
import type { LedgerEvent } from "../event.ts";
import { toStoreTime } from "../time.ts";
import { type Column, LOGICAL_COLUMNS, quote } from "./columns.ts";
import { makeRoom } from "./restore-columns.ts";
import { writeTags, writeTime } from "./rows.ts";
import type { Store } from "./store.ts";

/** Writes rows of a copy as they are. All give false when nothing was written. */

/** False: a rule of the file forbids it, for example its key is that of another task here by now. */
export function insertTask(store: Store, row: DumpTask): boolean {
  const values = valuesOf(store, row);
  const names = values.map(([name]) => name).join(", ");
  const sql = `INSERT OR IGNORE INTO tasks (${names}) VALUES (${values.map(() => "?").join(", ")})`;
  return Boolean(store.run(sql, ...values.map(([, value]) => value)).changes);
}

/** Puts `row` in place of `here`, the task of that id as it is now. */
export function updateTask(store: Store, row: DumpTask, here: DumpTask): boolean {
  const emptied = Object.keys(here.extra).filter((name) => !(name in row.extra));
  const values = [...valuesOf(store, row), ...emptied.map((name) => [quote(name), null] as const)];
  const sets = values.map(([name]) => `${name} = ?`).join(", ");
  const sql = `UPDATE OR IGNORE tasks SET ${sets} WHERE ${store.names.id} = ?`;
  return Boolean(store.run(sql, ...values.map(([, value]) => value), row.id).changes);
}

export function insertDependencyRow(store: Store, { task, blocker }: DumpDependency): boolean {
  const sql = "INSERT OR IGNORE INTO alai_deps (task_id, blocker_id) VALUES (?, ?)";
  return Boolean(store.run(sql, task, blocker).changes);
}

export function deleteDependencyRow(store: Store, { task, blocker }: DumpDependency): boolean {
  return Boolean(store.run("DELETE FROM alai_deps WHERE task_id = ? AND blocker_id = ?", task, blocker).changes);
}

const EVIDENCE_IS = "task_id = ? AND path = ? AND sha256 = ? AND size = ?";

export function insertEvidenceRow(store: Store, { task, path, sha256, size }: DumpEvidence): boolean {
  const values = [task, path, sha256, size];
  if (store.get(`SELECT 1 FROM alai_evidence WHERE ${EVIDENCE_IS}`, ...values)) return false;
  store.run("INSERT INTO alai_evidence (task_id, path, sha256, size) VALUES (?, ?, ?, ?)", ...values);
  return true;
}

export function deleteEvidenceRow(store: Store, { task, path, sha256, size }: DumpEvidence): boolean {
  return Boolean(store.run(`DELETE FROM alai_evidence WHERE ${EVIDENCE_IS}`, task, path, sha256, size).changes);
}

export function insertEventRow(store: Store, event: LedgerEvent): void {
  const { seq, task, kind, at, actor, session, fence, data } = event;
  store.run(
    "INSERT INTO alai_events (seq, task_id, kind, at, actor, session, fence, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ...[seq, task, kind, toStoreTime(at), actor, session, fence],
    Object.keys(data).length > 0 ? JSON.stringify(data) : null,
  );
}

/** Quoted columns and what they hold. Makes room for columns of another program first. */
function valuesOf(store: Store, row: DumpTask): (readonly [string, SQLInputValue])[] {
  const writable = makeRoom(store, Object.keys(row.extra));
  const ours = LOGICAL_COLUMNS.map((column) => [store.names[column], stored(store, column, row)] as const);
  return [...ours, ...writable.map((name) => [quote(name), storedExtra(row.extra[name])] as const)];
}

/** What the source stores, its own words where it has them: so that it reads the same here. */
function stored(store: Store, column: Column, row: DumpTask): SQLInputValue {
  switch (column) {
    case "status":
      return row.status_raw ?? row.status;
    case "priority":
      return row.priority_raw ?? row.priority;
    case "tags":
      return writeTags(store.columns, row.tags);
    case "lease_fence":
      return row.fence;
    case "due":
    case "deferred_until":
    case "created_at":
    case "updated_at":
    case "done_at":
    case "lease_until":
      return writeTime(store.columns, column, row[column]);
    default:
      return row[column];
  }
}

function storedExtra(value: unknown): SQLInputValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return value;
  return JSON.stringify(value);
}
