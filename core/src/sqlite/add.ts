import type { SQLInputValue } from "node:sqlite";
import type { Added, Caller, Imported, ImportLine } from "../ledger.ts";
import {
  importedEvent,
  importKey,
  isSameTask,
  mayBeHere,
  type Origin,
  originOf,
  renumberedOf,
  withoutParent,
} from "../rules/import.ts";
import type { NewTask } from "../task.ts";
import type { Millis } from "../time.ts";
import { DEFAULT_PRIORITY } from "../vocabulary.ts";
import type { Column, TimeColumn } from "./columns.ts";
import { insertDependency } from "./deps.ts";
import { isTaken, requireTask } from "./existing.ts";
import { writePriority, writeTags, writeTime } from "./rows.ts";
import type { Store, Tx } from "./store.ts";
import { addEvidence, oneTask } from "./write.ts";

/** Adds one task, or finds the one with its dedup key. */
export function addOne(store: Store, tx: Tx, task: NewTask, caller: Caller): Added {
  const existing = task.dedup_key ? byDedupKey(store, task.dedup_key) : null;
  if (existing !== null) return { task: oneTask(store, tx.now, existing), existing: true };
  const id = insert(store, tx, task, {});
  link(store, id, task);
  tx.append({ task: id, kind: "added", by: caller, fence: 0, data: { title: task.title } });
  return { task: oneTask(store, tx.now, id), existing: false };
}

function byDedupKey(store: Store, key: string): number | null {
  const row = store.get(`SELECT ${store.names.id} AS id FROM tasks WHERE ${store.names.dedup_key} = ?`, key);
  return row ? Number(row.id) : null;
}

/** Writes the row; gives its id. */
function insert(store: Store, tx: Tx, task: NewTask, origin: Origin): number {
  const values: Partial<Record<Column, SQLInputValue>> = {
    ...contentOf(store, task),
    ...timesOf(store, tx, task, origin),
  };
  const id = origin.id ?? (store.columns.explicitIds ? nextId(store) : undefined);
  if (id !== undefined) values.id = id;
  // A column left out keeps the file's own default, and its NOT NULL rule if it has one.
  const columns = (Object.keys(values) as Column[]).filter((column) => values[column] != null);
  const row = store.get(
    `INSERT INTO tasks (${columns.map((column) => store.names[column]).join(", ")}) VALUES (${columns.map(() => "?").join(", ")}) RETURNING ${store.names.id} AS id`,
    ...columns.map((column) => values[column] ?? null),
  );
  return Number(row?.id);
}

function contentOf({ columns: map }: Store, task: NewTask): Partial<Record<Column, SQLInputValue>> {
  const status = task.status ?? "open";
  return {
    title: task.title,
    description: task.description ?? null,
    status: map.statusWords[status] ?? status,
    priority: writePriority(map, task.priority ?? DEFAULT_PRIORITY),
    project: task.project ?? null,
    owner: task.owner ?? null,
    tags: writeTags(map, task.tags ?? []),
    parent: task.parent ?? null,
    dedup_key: task.dedup_key || null,
  };
}

function timesOf(store: Store, tx: Tx, task: NewTask, origin: Origin): Partial<Record<Column, SQLInputValue>> {
  const write = (column: TimeColumn, ms: Millis | null | undefined) => writeTime(store.columns, column, ms ?? null);
  return {
    due: write("due", task.due),
    deferred_until: write("deferred_until", task.deferred_until),
    created_at: write("created_at", origin.created_at ?? tx.now),
    updated_at: write("updated_at", tx.now),
    done_at: write("done_at", origin.done_at),
  };
}

function nextId(store: Store): number {
  return Number(store.get(`SELECT coalesce(max(${store.names.id}), 0) + 1 AS id FROM tasks`)?.id);
}

function link(store: Store, id: number, task: NewTask): void {
  if (task.parent != null) requireTask(store, task.parent);
  for (const blocker of task.blocked_by ?? []) insertDependency(store, id, blocker);
}

/** Imports all lines or none. A line whose dedup key is here already is counted, not added. */
export function importAll(store: Store, tx: Tx, lines: readonly ImportLine[], caller: Caller): Imported {
  const ids = new Map<number, number>();
  const earlier = importedBefore(store);
  const fresh: { id: number; line: ImportLine }[] = [];
  let existing = 0;
  for (const line of lines) {
    const known = findImported(store, tx, line) ?? earlier.get(importKey(line)) ?? null;
    const id = known ?? importOne(store, tx, line, caller);
    if (known === null) fresh.push({ id, line });
    else existing += 1;
    if (line.id !== undefined) ids.set(line.id, id);
  }
  let unresolved = 0;
  for (const { id, line } of fresh) unresolved += relink(store, id, line, ids);
  return { added: fresh.length, existing, unresolved, renumbered: renumberedOf(ids) };
}

/** The task a line already is: by dedup key, or the same id with the same title and time of creation (our own export). */
function findImported(store: Store, tx: Tx, line: ImportLine): number | null {
  if (line.dedup_key) return byDedupKey(store, line.dedup_key);
  if (!mayBeHere(line) || !isTaken(store, line.id)) return null;
  return isSameTask(line, oneTask(store, tx.now, line.id)) ? line.id : null;
}

/** Tasks by what they were imported from: a second run of the same file finds those that got another number too. */
function importedBefore(store: Store): Map<string, number> {
  const source = "json_extract(data, '$.from')";
  const rows = store.all(
    `SELECT task_id, ${source} AS source FROM alai_events WHERE kind = 'imported' AND ${source} IS NOT NULL`,
  );
  return new Map(rows.map((row) => [importKey(JSON.parse(String(row.source))), Number(row.task_id)]));
}

function importOne(store: Store, tx: Tx, line: ImportLine, caller: Caller): number {
  const { notes, evidence } = line;
  const keep = line.id !== undefined && !isTaken(store, line.id);
  const id = insert(store, tx, withoutParent(line), originOf(line, keep));
  tx.append(importedEvent(id, line, caller));
  for (const text of notes ?? []) tx.append({ task: id, kind: "noted", by: caller, fence: 0, data: { text } });
  for (const file of evidence ?? []) addEvidence(store, id, file);
  return id;
}

/** Parents and blockers by their ids here. One that was not imported and is not here is left out, not guessed. @returns how many were. */
function relink(store: Store, id: number, line: ImportLine, ids: ReadonlyMap<number, number>): number {
  const here = (from: number) => ids.get(from) ?? (isTaken(store, from) ? from : null);
  const parent = line.parent == null ? null : here(line.parent);
  if (parent !== null) store.run(`UPDATE tasks SET ${store.names.parent} = ? WHERE ${store.names.id} = ?`, parent, id);
  const blockers = [
    ...(line.blocked_by ?? []).map(here),
    ...(line.blocked_by_keys ?? []).map((key) => byDedupKey(store, key)),
  ];
  for (const blocker of blockers) if (blocker !== null) insertDependency(store, id, blocker);
  return blockers.filter((blocker) => blocker === null).length + (line.parent != null && parent === null ? 1 : 0);
}
