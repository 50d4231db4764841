import type { DumpRow, DumpTask, RestoreRow } from "./dump.ts";
import type { LedgerEvent } from "./event.ts";
import type { Task } from "./task.ts";
import type { Millis } from "./time.ts";

/**
 * Rows of a copy, the same to the letter from every store: their members stand in order of their names, since stores keep
 * those of an object in orders of their own.
 */

/** A task as a copy carries it. What is empty in a column of another program is left out: a store without it has the same. */
export function dumpTask(task: Task, leaseTtl: Millis | null): DumpTask {
  const { lease_state: _derived, blocked_by: _dependencies, evidence: _rows, extra, ...row } = task;
  const filled = Object.entries(extra).filter(([, value]) => value !== null && value !== undefined);
  return ordered({ ...row, extra: Object.fromEntries(filled), lease_ttl: leaseTtl });
}

/** An event as a copy carries it. */
export function dumpEvent(event: LedgerEvent): LedgerEvent {
  return ordered(event);
}

/** A row as text: the same for the same content, in whatever order its members stand. */
export function canonical(row: DumpRow["row"]): string {
  return JSON.stringify(ordered(row));
}

export function isSameRow(a: DumpRow["row"], b: DumpRow["row"]): boolean {
  return canonical(a) === canonical(b);
}

/** What a person looks for it by. */
export function nameOfRow({ table, row, ...change }: RestoreRow): string {
  const of = row ?? ("was" in change ? change.was : null);
  if (table === "event") return `event ${row.seq}`;
  return table === "task" ? `task ${row.id}` : `${table} of task ${(of as { task: number }).task}`;
}

/** `value` with the members of every object in it in one order: by name. */
function ordered<T>(value: T): T {
  if (Array.isArray(value)) return value.map(ordered) as T;
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, ordered(member)])) as T;
}
