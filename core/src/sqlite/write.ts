import type { SQLInputValue } from "node:sqlite";
import type { LedgerEvent } from "../event.ts";
import type { Caller, StatusChange } from "../ledger.ts";
import { notFound } from "../refusal.ts";
import { changesOf, requireNoLoop, requireVersion, valuesAfter } from "../rules/edit.ts";
import { notedEvent, requireText } from "../rules/note.ts";
import { planMove } from "../rules/status.ts";
import type { Evidence, Task, TaskPatch } from "../task.ts";
import type { Millis } from "../time.ts";
import type { Priority, Status } from "../vocabulary.ts";
import { writableTask } from "./batch.ts";
import type { Column, TimeColumn } from "./columns.ts";
import { lockedTask } from "./locked-task.ts";
import { clearLease } from "./release.ts";
import { renewIfMine } from "./renew.ts";
import { col, readTask, selectColumns, selectList, writePriority, writeTags, writeTime } from "./rows.ts";
import type { Store, Tx } from "./store.ts";

/** One task, whole. Throws `not_found`. */
export function oneTask(store: Store, now: Millis, id: number): Task {
  const row = store.get(`SELECT ${selectList(store.columns)} FROM tasks t WHERE ${col(store, "id")} = ?`, id);
  if (!row) throw notFound(id);
  return readTask(row, store.columns, now);
}

/** Fields that a change may set, as the task shows them; `encode` gives what the file stores. */
const ENCODERS: Readonly<Partial<Record<Column, (store: Store, value: never) => SQLInputValue>>> = {
  status: (store, value: Status) => store.columns.statusWords[value] ?? value,
  priority: (store, value: Priority | null) => (value === null ? null : writePriority(store.columns, value)),
  tags: (store, value: readonly string[]) => writeTags(store.columns, value),
  due: (store, value: Millis | null) => writeTime(store.columns, "due", value),
  deferred_until: (store, value: Millis | null) => writeTime(store.columns, "deferred_until", value),
  done_at: (store, value: Millis | null) => writeTime(store.columns, "done_at", value),
};

function encode(store: Store, column: Column, value: unknown): SQLInputValue {
  const encoder = ENCODERS[column] as ((store: Store, value: unknown) => SQLInputValue) | undefined;
  return encoder ? encoder(store, value) : (value as SQLInputValue);
}

/** Sets columns, `version` and `updated_at` of one task. */
export function setColumns(store: Store, tx: Tx, id: number, values: Readonly<Partial<Record<Column, unknown>>>): void {
  const columns = Object.keys(values) as Column[];
  const n = store.names;
  const sets = [
    ...columns.map((column) => `${n[column]} = ?`),
    `${n.version} = coalesce(${n.version}, 0) + 1`,
    `${n.updated_at} = ?`,
  ];
  store.run(
    `UPDATE tasks SET ${sets.join(", ")} WHERE ${n.id} = ?`,
    ...columns.map((column) => encode(store, column, values[column])),
    writeTime(store.columns, "updated_at" satisfies TimeColumn, tx.now),
    id,
  );
}

export function editOne(store: Store, tx: Tx, id: number, patch: TaskPatch, caller: Caller, ifVersion?: number): Task {
  const locked = writableTask(store, tx, id, caller);
  const before = oneTask(store, tx.now, id);
  requireVersion(before, ifVersion);
  const changes = changesOf(before, patch);
  if (patch.parent != null) requireNoLoop(id, patch.parent, (at) => oneTask(store, 0, at).parent);
  renewIfMine(store, tx, locked, caller);
  if (Object.keys(changes).length === 0) return before;
  const raw = rawBefore(store, before, Object.keys(changes) as Column[]);
  setColumns(store, tx, id, valuesAfter(changes));
  tx.append({ task: id, kind: "edited", by: caller, fence: locked.fence, data: { changes, ...(raw && { raw }) } });
  return oneTask(store, tx.now, id);
}

/** What the file stores where it is not what we would write for the same value: undo puts it back as it was. */
function rawBefore(store: Store, before: Task, columns: readonly Column[]): Record<string, string | number> | null {
  const row = store.get(
    `SELECT ${selectColumns(store.columns, columns)} FROM tasks t WHERE ${col(store, "id")} = ?`,
    before.id,
  );
  const stored = columns.map((column) => {
    const value = row?.[`$${column}`];
    return [column, typeof value === "bigint" ? Number(value) : value] as const;
  });
  const differs = stored.filter(
    ([column, value]) =>
      (typeof value === "string" || typeof value === "number") &&
      value !== encode(store, column, before[column as keyof Task]),
  );
  return differs.length === 0 ? null : (Object.fromEntries(differs) as Record<string, string | number>);
}

/** A remark is appended, never changed, so everyone may make one, the holder's lease or not. */
export function noteOne(store: Store, tx: Tx, id: number, text: string, caller: Caller): LedgerEvent {
  requireText(id, text);
  const task = lockedTask(store, id);
  renewIfMine(store, tx, task, caller);
  return tx.append(notedEvent(task, text, caller));
}

/** Moves a task to another status. All but `reopened` end the caller's lease. Doing it twice is done already. */
export function setStatusOne(store: Store, tx: Tx, id: number, change: StatusChange, caller: Caller): Task {
  const locked = writableTask(store, tx, id, caller);
  const before = oneTask(store, tx.now, id);
  const move = planMove(before, locked, change, caller, tx.now);
  if (!move) return before;
  for (const file of move.evidence) addEvidence(store, id, file);
  setColumns(store, tx, id, { status: move.status, done_at: move.doneAt });
  if (move.ends) clearLease(store, locked);
  tx.append(move.event);
  return oneTask(store, tx.now, id);
}

export function addEvidence(store: Store, id: number, file: Evidence): void {
  store.run(
    "INSERT INTO alai_evidence (task_id, path, sha256, size) VALUES (?, ?, ?, ?)",
    id,
    file.path,
    file.sha256,
    file.size,
  );
}
