import { type Caller, type LedgerEvent, notFound } from "@alai/core";
import { valuesAfter } from "@alai/core/rules/edit";
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
  undoneAlready,
  undoneEvent,
} from "@alai/core/rules/undo";
import { readExisting, sendRemoved } from "./dependencies.ts";
import { type Graph, readGraph, sendDependencies } from "./graph.ts";
import { append } from "./journal.ts";
import { lockTasks } from "./lock.ts";
import { withRawValues } from "./raw.ts";
import { readEvent } from "./rows.ts";
import { saveRow, withFields, withoutLease } from "./save.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";
import { writable } from "./write.ts";

/** Reverses one change by a new event; the journal keeps both. */
export async function undo(session: Session, seq: number | null, caller: Caller): Promise<LedgerEvent> {
  for (;;) {
    const event = await find(session, seq, caller);
    const locked = await lockFor(session, event, seq, caller);
    // While the row was waited for another undid this one: the newest is an older one now.
    if (!locked) continue;
    const { tasks, graph, there } = locked;
    const { row, task, lease } = writable(tasks, event.task ?? 0, caller);
    const changes = reversedDependencies(event) ? null : reversedChanges(event, task);
    reverseDependencies(session, event, graph, there);
    takeEvidence(session, event);
    const reversed = withRawValues(withFields(row, valuesAfter(changes ?? {}), tasks.now), rawValues(event));
    saveRow(session, endsLease(changes, lease) ? withoutLease(reversed) : reversed);
    const [undone] = await append(session, tasks.now, [undoneEvent(event, changes, lease, caller)]);
    if (!undone) throw new Error("undo wrote nothing");
    return undone;
  }
}

/** Locks what undoing the event changes. Null: it is not the newest any more. Throws when it was undone. */
async function lockFor(session: Session, event: LedgerEvent, seq: number | null, caller: Caller) {
  const id = event.task ?? 0;
  const dependencies = reversedDependencies(event);
  if (dependencies) session.send(SQL.lockGraph);
  const blockers = dependencies?.blockers ?? [];
  const [tasks, graph, there, [again]] = await Promise.all([
    lockTasks(session, [id], caller),
    readGraph(session, [...blockers, id]),
    readExisting(session, blockers),
    findRows(session, seq, caller),
  ]);
  if (seq === null) return again?.seq === event.seq ? { tasks, graph, there } : null;
  await requireNotUndone(session, event);
  return { tasks, graph, there };
}

async function find(session: Session, seq: number | null, caller: Caller): Promise<LedgerEvent> {
  const [row] = await findRows(session, seq, caller);
  if (!row) throw seq === null ? nothingToUndo() : noEvent(seq);
  const event = readEvent(row);
  requireUndoable(event);
  // The newest is one that was not undone; asked again, a later statement would see another's undo of it, and refuse what is
  // only to be looked for again.
  if (seq !== null) await requireNotUndone(session, event);
  return event;
}

function findRows(session: Session, seq: number | null, caller: Caller): Promise<Row[]> {
  return seq === null ? session.rows(SQL.newestUndoable, caller.actor, caller.session) : session.rows(SQL.event, seq);
}

async function requireNotUndone(session: Session, event: LedgerEvent): Promise<void> {
  const [undone] = await session.rows<{ seq: number }>(SQL.undoneBy, event.task, event.seq);
  if (undone) throw undoneAlready(event.seq, undone.seq);
}

function reverseDependencies(session: Session, event: LedgerEvent, graph: Graph, there: ReadonlySet<number>): void {
  const dependencies = reversedDependencies(event);
  if (!dependencies) return;
  const id = event.task ?? 0;
  for (const blocker of dependencies.blockers) {
    if (dependencies.add && !there.has(blocker)) throw notFound(blocker);
    const changes = dependencies.add ? graph.add(id, blocker) : graph.has(id, blocker);
    if (!changes) throw dependencyChangedSince(event, blocker);
  }
  const pairs = dependencies.blockers.map((blocker) => [id, blocker] as const);
  if (dependencies.add) sendDependencies(session, pairs);
  else sendRemoved(session, id, dependencies.blockers);
}

function takeEvidence(session: Session, event: LedgerEvent): void {
  const evidence = broughtEvidence(event).map((file) => ({ task: event.task, ...file }));
  if (evidence.length > 0) session.send(SQL.removeEvidence, JSON.stringify(evidence));
}
