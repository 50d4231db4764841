import type { Changes, LedgerEvent } from "../event.ts";
import type { Caller } from "../ledger.ts";
import { valuesAfter } from "../rules/edit.ts";
import {
  broughtEvidence,
  dependencyChangedSince,
  endsLease,
  noEvent,
  nothingToUndo,
  rawValues,
  requireUndoable,
  reversedChanges,
  reversedDependencies,
  UNDOABLE,
  undoneAlready,
  undoneEvent,
} from "../rules/undo.ts";
import type { Task } from "../task.ts";
import { writableTask } from "./batch.ts";
import type { Column } from "./columns.ts";
import { deleteDependency, insertDependency } from "./deps.ts";
import { clearLease } from "./release.ts";
import { deleteEvidenceRow } from "./restore-rows.ts";
import { readEvent } from "./rows.ts";
import type { Store, Tx } from "./store.ts";
import { oneTask, setColumns } from "./write.ts";

/** Reverses one change by a new event; the journal keeps both. */
export function undo(store: Store, tx: Tx, seq: number | null, caller: Caller): LedgerEvent {
  const event = seq === null ? newest(store, caller) : byNumber(store, seq);
  const id = event.task ?? 0;
  const locked = writableTask(store, tx, id, caller);
  const task = oneTask(store, tx.now, id);
  const changes = reverse(store, tx, event, task);
  if (endsLease(changes, locked)) clearLease(store, locked);
  return tx.append(undoneEvent(event, changes, locked, caller));
}

function newest(store: Store, caller: Caller): LedgerEvent {
  const kinds = UNDOABLE.map((kind) => `'${kind}'`).join(", ");
  const row = store.get(
    `SELECT * FROM alai_events e WHERE actor = ? AND session = ? AND kind IN (${kinds}) AND NOT EXISTS (SELECT 1 FROM alai_events u WHERE u.task_id = e.task_id AND u.kind = 'undone' AND json_extract(u.data, '$.undoes') = e.seq) ORDER BY seq DESC LIMIT 1`,
    caller.actor,
    caller.session,
  );
  if (row) return readEvent(row);
  throw nothingToUndo();
}

function byNumber(store: Store, seq: number): LedgerEvent {
  const row = store.get("SELECT * FROM alai_events WHERE seq = ?", seq);
  if (!row) throw noEvent(seq);
  const event = readEvent(row);
  requireUndoable(event);
  const undone = store.get(
    "SELECT seq FROM alai_events WHERE task_id IS ? AND kind = 'undone' AND json_extract(data, '$.undoes') = ?",
    event.task,
    seq,
  );
  if (undone) throw undoneAlready(seq, Number(undone.seq));
  return event;
}

/** Applies the reverse; gives the fields it set. */
function reverse(store: Store, tx: Tx, event: LedgerEvent, task: Task): Changes | null {
  const dependencies = reversedDependencies(event);
  if (dependencies) {
    const change = dependencies.add ? insertDependency : deleteDependency;
    for (const blocker of dependencies.blockers)
      if (!change(store, task.id, blocker)) throw dependencyChangedSince(event, blocker);
    setColumns(store, tx, task.id, {});
    return null;
  }
  const changes = reversedChanges(event, task);
  setColumns(store, tx, task.id, valuesAfter(changes));
  restoreRaw(store, task.id, rawValues(event));
  for (const file of broughtEvidence(event)) deleteEvidenceRow(store, { task: task.id, ...file });
  return changes;
}

/** Words of another program that our own writing would not give back. */
function restoreRaw(store: Store, id: number, raw: Readonly<Record<string, string | number>>): void {
  for (const [column, value] of Object.entries(raw))
    store.run(`UPDATE tasks SET ${store.names[column as Column]} = ? WHERE ${store.names.id} = ?`, value, id);
}
