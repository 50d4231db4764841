import type { SQLInputValue } from "node:sqlite";
import type { Changes, LedgerEvent } from "../event.ts";
import { formatHolder } from "../holder.ts";
import { isLive } from "../lease.ts";
import type { Caller, StatusChange } from "../ledger.ts";
import { badInput, notFound, Refusal } from "../refusal.ts";
import type { Evidence, Task, TaskPatch } from "../task.ts";
import type { Millis } from "../time.ts";
import type { Priority, Status } from "../vocabulary.ts";
import { writableTask } from "./batch.ts";
import type { Column, TimeColumn } from "./columns.ts";
import { type LockedTask, lockedTask } from "./locked-task.ts";
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
  if (ifVersion !== undefined && before.version !== ifVersion)
    throw new Refusal(
      "version_conflict",
      `Task ${id} is at version ${before.version}, not ${ifVersion}: someone changed it.`,
      {
        taskId: id,
        hint: `Look at it again with \`alai mc show ${id}\`.`,
      },
    );
  const changes = changesOf(before, patch);
  if (patch.parent != null) requireNoLoop(store, id, patch.parent);
  renewIfMine(store, tx, locked, caller);
  if (Object.keys(changes).length === 0) return before;
  const raw = rawBefore(store, before, Object.keys(changes) as Column[]);
  setColumns(store, tx, id, Object.fromEntries(Object.entries(changes).map(([field, [, after]]) => [field, after])));
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

function changesOf(before: Task, patch: TaskPatch): Changes {
  const { addTags, removeTags, ...fields } = patch;
  const wanted: Record<string, unknown> = { ...fields };
  if (addTags || removeTags)
    wanted.tags = [...new Set([...before.tags, ...(addTags ?? [])])].filter((tag) => !removeTags?.includes(tag));
  return Object.fromEntries(
    Object.entries(wanted)
      .filter(
        ([field, after]) =>
          after !== undefined && JSON.stringify(after) !== JSON.stringify(before[field as keyof Task]),
      )
      .map(([field, after]) => [field, [before[field as keyof Task], after] as const]),
  );
}

function requireNoLoop(store: Store, id: number, parent: number): void {
  const seen = new Set<number>();
  for (let at: number | null = parent; at !== null && !seen.has(at); ) {
    if (at === id)
      throw new Refusal("cycle", `Task ${parent} is below task ${id} already; it cannot be its parent.`, {
        taskId: id,
      });
    seen.add(at);
    at = oneTask(store, 0, at).parent;
  }
}

/** A remark is appended, never changed, so everyone may make one, the holder's lease or not. */
export function noteOne(store: Store, tx: Tx, id: number, text: string, caller: Caller): LedgerEvent {
  if (text.trim() === "") throw badInput("The note is empty.", `Type \`alai mc note ${id} "what happened"\`.`);
  const task = lockedTask(store, id);
  renewIfMine(store, tx, task, caller);
  return tx.append({ task: id, kind: "noted", by: caller, fence: task.fence, data: { text } });
}

const TARGETS: Readonly<Record<StatusChange["verb"], Status>> = {
  done: "done",
  ready: "ready",
  paused: "paused",
  reopened: "open",
  cancelled: "cancelled",
};

/** Moves a task to another status. All but `reopened` end the caller's lease. Doing it twice is done already. */
export function setStatusOne(store: Store, tx: Tx, id: number, change: StatusChange, caller: Caller): Task {
  const locked = writableTask(store, tx, id, caller);
  const before = oneTask(store, tx.now, id);
  const target = TARGETS[change.verb];
  const evidence = (change.evidence ?? []).filter((file) => !hasEvidence(before, file));
  const ends = change.verb !== "reopened" && mayEnd(locked, caller, tx.now);
  if (before.status === target && evidence.length === 0 && !ends) return before;
  if (change.verb === "done") requireEvidence(before, change);
  for (const file of evidence) addEvidence(store, id, file);
  const doneAt = target === "done" ? whenDone(before, tx.now) : null;
  const changes: Changes = {
    status: [before.status_raw ?? before.status, target],
    ...(before.done_at !== doneAt && { done_at: [before.done_at, doneAt] }),
  };
  setColumns(store, tx, id, { status: target, done_at: doneAt });
  if (ends) clearLease(store, locked);
  tx.append({
    task: id,
    kind: change.verb,
    by: caller,
    fence: locked.fence,
    data: {
      changes,
      ...(change.reason && { reason: change.reason }),
      ...(evidence.length > 0 && { evidence }),
      ...(ends && { prev_holder: locked.holder }),
    },
  });
  return oneTask(store, tx.now, id);
}

/** Where enforcement is off, a change is let through; the lease of another stays what it is all the same. */
function mayEnd(locked: LockedTask, caller: Caller, now: Millis): boolean {
  return locked.holder !== null && (locked.holder === formatHolder(caller) || !isLive(locked, now));
}

/** Evidence that comes later does not move the time at which a task was done. */
function whenDone(before: Task, now: Millis): Millis {
  return (before.status === "done" ? before.done_at : null) ?? now;
}

function hasEvidence(task: Task, file: Evidence): boolean {
  return task.evidence.some((there) => there.path === file.path && there.sha256 === file.sha256);
}

function requireEvidence(task: Task, change: StatusChange): void {
  if (!change.requireEvidence || change.evidence?.length || task.evidence.length > 0) return;
  throw new Refusal(
    "evidence_required",
    `Task ${task.id} needs evidence before it is done (mc.requireEvidence is on).`,
    {
      taskId: task.id,
      hint: `Type \`alai mc done ${task.id} --evidence FILE\`.`,
    },
  );
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
