import type { DumpRow, DumpTask } from "./dump.ts";
import type { LedgerEvent } from "./event.ts";
import type { Task } from "./task.ts";
import type { Millis } from "./time.ts";

/** A task as a copy carries it. What is empty in a column of another program is left out: a store without it has the same. */
export function dumpTask(task: Task, leaseTtl: Millis | null): DumpTask {
  const { lease_state: _derived, blocked_by: _dependencies, evidence: _rows, extra, ...row } = task;
  const filled = Object.entries(extra).filter(([, value]) => value !== null && value !== undefined);
  return { ...row, extra: ordered(Object.fromEntries(filled)), lease_ttl: leaseTtl };
}

/** An event as a copy carries it: stores keep the members of its data in orders of their own. */
export function dumpEvent(event: LedgerEvent): LedgerEvent {
  return { ...event, data: ordered(event.data) };
}

/** True for rows with the same content, in whatever order their members stand. */
export function isSameRow(a: DumpRow["row"], b: DumpRow["row"]): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

/** `value` with the members of every object in it in one order: by name. */
function ordered<T>(value: T): T {
  if (Array.isArray(value)) return value.map(ordered) as T;
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, ordered(member)])) as T;
}
