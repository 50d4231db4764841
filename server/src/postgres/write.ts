import type { Caller, LedgerEvent, Millis, StatusChange, Task, TaskPatch } from "@alai/core";
import { notFound } from "@alai/core";
import type { EventDraft } from "@alai/core/rules/draft";
import { each } from "@alai/core/rules/each";
import { changesOf, requireNoLoop, requireVersion, valuesAfter } from "@alai/core/rules/edit";
import { notedEvent, requireText } from "@alai/core/rules/note";
import { planMove } from "@alai/core/rules/status";
import { requireWritable } from "@alai/core/rules/writable";
import { append, sendLines } from "./journal.ts";
import { type Locked, type LockedTasks, lockTasks } from "./lock.ts";
import { rawValuesOf } from "./raw.ts";
import { readTask, type TaskRow } from "./rows.ts";
import { renewedByActing, saveRow, withFields, withoutLease } from "./save.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** What a verb leaves of one task. Null for a row: it is not written. */
export interface Planned {
  readonly row: TaskRow | null;
  readonly drafts: readonly EventDraft[];
  readonly task: Task;
}

/** A task whose row is locked and that the caller may change (freshness, rule 3). Throws `held`, `fenced`, `not_found`. */
export function writable(tasks: LockedTasks, id: number, caller: Caller): Locked {
  const locked = tasks.get(id);
  requireWritable(locked.lease, caller, tasks.now, locked.memory);
  return locked;
}

export function savePlans(session: Session, plans: readonly Planned[], now: Millis): Task[] {
  for (const { row } of plans) if (row) saveRow(session, row);
  sendLines(
    session,
    now,
    plans.flatMap(({ drafts }) => drafts),
  );
  return plans.map(({ task }) => task);
}

export async function editTasks(
  session: Session,
  ids: readonly number[],
  patch: TaskPatch,
  caller: Caller,
  ifVersion?: number,
): Promise<Task[]> {
  const parent = patch.parent ?? null;
  if (parent !== null) session.send(SQL.lockGraph);
  const [tasks, parents] = await Promise.all([
    lockTasks(session, ids, caller),
    parent === null ? null : readParents(session, parent),
  ]);
  const plans = each(ids, (id) => {
    const locked = writable(tasks, id, caller);
    requireVersion(locked.task, ifVersion);
    const changes = changesOf(locked.task, patch);
    if (parent !== null && parents) requireNoLoop(id, parent, parents);
    return planEdit(locked, changes, caller, tasks.now);
  });
  return savePlans(session, plans, tasks.now);
}

function planEdit(locked: Locked, changes: ReturnType<typeof changesOf>, caller: Caller, now: Millis): Planned {
  const renewed = renewedByActing(locked, caller, now);
  const fields = Object.keys(changes);
  if (fields.length === 0)
    return { row: renewed.row === locked.row ? null : renewed.row, drafts: renewed.drafts, task: locked.task };
  const raw = rawValuesOf(locked.row, fields);
  const row = withFields(renewed.row, valuesAfter(changes), now);
  const data = { changes, ...(raw && { raw }) };
  const edited: EventDraft = { task: row.id, kind: "edited", by: caller, fence: locked.lease.fence, data };
  return { row, drafts: [...renewed.drafts, edited], task: readTask(row, now) };
}

/** The way up from a task. @returns a task's parent; throws `not_found` for one that is not there. */
async function readParents(session: Session, from: number): Promise<(id: number) => number | null> {
  const rows = await session.rows<{ id: number; parent: number | null }>(SQL.ancestors, from);
  const parents = new Map(rows.map(({ id, parent }) => [id, parent]));
  return (id) => {
    const parent = parents.get(id);
    if (parent === undefined) throw notFound(id);
    return parent;
  };
}

/** A remark is appended, never changed, so everyone may make one, the holder's lease or not. */
export async function noteTasks(
  session: Session,
  ids: readonly number[],
  text: string,
  caller: Caller,
): Promise<LedgerEvent[]> {
  for (const id of ids.slice(0, 1)) requireText(id, text);
  const tasks = await lockTasks(session, ids, caller);
  const notes = each(ids, (id) => {
    const locked = tasks.get(id);
    const { row, drafts } = renewedByActing(locked, caller, tasks.now);
    return { row: row === locked.row ? null : row, drafts: [...drafts, notedEvent(locked.lease, text, caller)] };
  });
  for (const { row } of notes) if (row) saveRow(session, row);
  const events = await append(
    session,
    tasks.now,
    notes.flatMap(({ drafts }) => drafts),
  );
  return events.filter(({ kind }) => kind === "noted");
}

/** Moves tasks to another status. */
export async function moveTasks(
  session: Session,
  ids: readonly number[],
  change: StatusChange,
  caller: Caller,
): Promise<Task[]> {
  const tasks = await lockTasks(session, ids, caller);
  const evidence: { readonly task: number }[] = [];
  const plans = each(ids, (id): Planned => {
    const { row, task, lease } = writable(tasks, id, caller);
    const move = planMove(task, lease, change, caller, tasks.now);
    if (!move) return { row: null, drafts: [], task };
    evidence.push(...move.evidence.map((file) => ({ task: id, ...file })));
    const moved = withFields(row, { status: move.status, done_at: move.doneAt }, tasks.now);
    const after = { ...(move.ends ? withoutLease(moved) : moved), evidence: [...task.evidence, ...move.evidence] };
    return { row: after, drafts: [move.event], task: readTask(after, tasks.now) };
  });
  if (evidence.length > 0) session.send(SQL.addEvidence, JSON.stringify(evidence));
  return savePlans(session, plans, tasks.now);
}
