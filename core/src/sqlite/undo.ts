import type { Changes, EventKind, LedgerEvent } from "../event.ts";
import type { Caller } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Task } from "../task.ts";
import { CLOSED_STATUSES, LIVE_STATUSES, readStatus, type Status } from "../vocabulary.ts";
import { writableTask } from "./batch.ts";
import type { Column } from "./columns.ts";
import { deleteDependency, insertDependency } from "./deps.ts";
import { clearLease } from "./release.ts";
import { readEvent } from "./rows.ts";
import type { Store, Tx } from "./store.ts";
import { oneTask, setColumns } from "./write.ts";

/** What can be undone. A lease cannot: give it back with claim-release. */
const UNDOABLE: readonly EventKind[] = [
  "added",
  "edited",
  "done",
  "ready",
  "paused",
  "reopened",
  "cancelled",
  "dep_added",
  "dep_removed",
];

/** Reverses one change by a new event; the journal keeps both. */
export function undo(store: Store, tx: Tx, seq: number | null, caller: Caller): LedgerEvent {
  const event = seq === null ? newest(store, caller) : byNumber(store, seq);
  const id = event.task ?? 0;
  const locked = writableTask(store, tx, id, caller);
  const task = oneTask(store, tx.now, id);
  const changes = reverse(store, tx, event, task);
  if (changes?.status && locked.holder !== null && !isOpenWork(changes.status[1])) clearLease(store, locked);
  return tx.append({
    task: id,
    kind: "undone",
    by: caller,
    fence: locked.fence,
    data: { undoes: event.seq, kind: event.kind, ...(changes && { changes }) },
  });
}

function newest(store: Store, caller: Caller): LedgerEvent {
  const kinds = UNDOABLE.map((kind) => `'${kind}'`).join(", ");
  const row = store.get(
    `SELECT * FROM alai_events e WHERE actor = ? AND session = ? AND kind IN (${kinds}) AND NOT EXISTS (SELECT 1 FROM alai_events u WHERE u.task_id = e.task_id AND u.kind = 'undone' AND json_extract(u.data, '$.undoes') = e.seq) ORDER BY seq DESC LIMIT 1`,
    caller.actor,
    caller.session,
  );
  if (row) return readEvent(row);
  throw new Refusal("nothing_to_undo", "There is no change of this session to undo.", {
    hint: "Find the event's number with `alai mc events`, then type `alai mc undo NUMBER`.",
  });
}

function byNumber(store: Store, seq: number): LedgerEvent {
  const row = store.get("SELECT * FROM alai_events WHERE seq = ?", seq);
  if (!row) throw new Refusal("not_found", `There is no event ${seq}.`, { hint: "Type `alai mc events` to see them." });
  const event = readEvent(row);
  if (!UNDOABLE.includes(event.kind))
    throw new Refusal("nothing_to_undo", `Event ${seq} (${event.kind}) cannot be undone.`, {
      hint: `Undo reverses ${UNDOABLE.join(", ")}.`,
    });
  const undone = store.get(
    "SELECT seq FROM alai_events WHERE task_id IS ? AND kind = 'undone' AND json_extract(data, '$.undoes') = ?",
    event.task,
    seq,
  );
  if (undone) throw new Refusal("nothing_to_undo", `Event ${seq} was undone by event ${undone.seq} already.`);
  return event;
}

/** Applies the reverse. Refuses when the field was changed again since: undo would take that change with it. */
function reverse(store: Store, tx: Tx, event: LedgerEvent, task: Task): Changes | null {
  if (event.kind === "dep_added" || event.kind === "dep_removed") {
    const change = event.kind === "dep_added" ? deleteDependency : insertDependency;
    for (const blocker of event.data.blockers as number[])
      if (!change(store, task.id, blocker)) throw changedSince(event, task.id, [`dependency on task ${blocker}`]);
    setColumns(store, tx, task.id, {});
    return null;
  }
  const changes = (event.kind === "added" ? { status: [task.status, "cancelled"] } : reversed(event)) as Changes;
  // One that was closed since is somebody's result: cancelling it would take that away.
  const closedSince = CLOSED_STATUSES.includes(task.status as Status) ? [["status"]] : [];
  const moved =
    event.kind === "added"
      ? closedSince
      : Object.entries(changes).filter(([field, [now]]) => !isSame(task, field, now));
  if (moved.length > 0)
    throw changedSince(
      event,
      task.id,
      moved.map(([field]) => field),
    );
  setColumns(
    store,
    tx,
    task.id,
    Object.fromEntries(Object.entries(changes).map(([field, [, value]]) => [field, value])),
  );
  restoreRaw(store, task.id, event.data.raw as Readonly<Partial<Record<Column, string | number>>> | undefined);
  return changes;
}

/** Words of another program that our own writing would not give back. */
function restoreRaw(store: Store, id: number, raw: Readonly<Partial<Record<Column, string | number>>> = {}): void {
  for (const [column, value] of Object.entries(raw))
    store.run(`UPDATE tasks SET ${store.names[column as Column]} = ? WHERE ${store.names.id} = ?`, value, id);
}

function isOpenWork(status: unknown): boolean {
  return LIVE_STATUSES.includes(readStatus(status) as Status);
}

function changedSince(event: LedgerEvent, id: number, what: readonly string[]): Refusal {
  return new Refusal(
    "version_conflict",
    `Task ${id} was changed again since event ${event.seq} (${what.join(", ")}).`,
    { taskId: id, hint: `Undo the later change first: \`alai mc events --task ${id}\`.` },
  );
}

function reversed(event: LedgerEvent): Changes {
  const changes = (event.data.changes ?? {}) as Changes;
  return Object.fromEntries(
    Object.entries(changes).map(([field, [before, after]]) => [field, [after, before] as const]),
  );
}

function isSame(task: Task, field: string, value: unknown): boolean {
  return JSON.stringify(task[field as keyof Task] ?? null) === JSON.stringify(value ?? null);
}
