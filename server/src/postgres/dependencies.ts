import { type Caller, type Millis, notFound, type Task } from "@alai/core";
import { noDependency } from "@alai/core/rules/dependencies";
import type { EventDraft } from "@alai/core/rules/draft";
import { type Graph, readGraph, sendDependencies } from "./graph.ts";
import { type Locked, type LockedTasks, lockTasks } from "./lock.ts";
import { readTask } from "./rows.ts";
import { renewedByActing, withFields } from "./save.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";
import { savePlans, writable } from "./write.ts";

/** Makes a task wait for others. Throws `not_found`, or `cycle` when one of them waits for it. */
export async function addDependencies(
  session: Session,
  id: number,
  blockers: readonly number[],
  caller: Caller,
): Promise<Task> {
  const { tasks, graph, there } = await lockLinks(session, id, blockers, caller);
  const locked = writable(tasks, id, caller);
  const added = blockers.filter((blocker) => {
    if (!there.has(blocker)) throw notFound(blocker);
    return graph.add(id, blocker);
  });
  sendDependencies(
    session,
    added.map((blocker) => [id, blocker]),
  );
  return saveLinks(session, locked, tasks.now, "dep_added", added, caller, [...locked.row.blocked_by, ...added]);
}

/** Throws `not_found` for one it does not wait for. */
export async function removeDependencies(
  session: Session,
  id: number,
  blockers: readonly number[],
  caller: Caller,
): Promise<Task> {
  const { tasks } = await lockLinks(session, id, blockers, caller);
  const locked = writable(tasks, id, caller);
  const left = new Set(locked.row.blocked_by);
  for (const blocker of blockers) if (!left.delete(blocker)) throw noDependency(id, blocker);
  sendRemoved(session, id, blockers);
  return saveLinks(session, locked, tasks.now, "dep_removed", blockers, caller, [...left]);
}

export function sendRemoved(session: Session, id: number, blockers: readonly number[]): void {
  if (blockers.length > 0)
    session.send(
      SQL.removeDependencies,
      blockers.map(() => id),
      blockers,
    );
}

/** A change of who waits for whom could close a circle that no row's lock sees: these changes are made one at a time. */
async function lockLinks(
  session: Session,
  id: number,
  blockers: readonly number[],
  caller: Caller,
): Promise<{ tasks: LockedTasks; graph: Graph; there: ReadonlySet<number> }> {
  session.send(SQL.lockGraph);
  const [tasks, graph, there] = await Promise.all([
    lockTasks(session, [id], caller),
    readGraph(session, [...blockers, id]),
    readExisting(session, blockers),
  ]);
  return { tasks, graph, there };
}

/** Which of these are tasks. */
export async function readExisting(session: Session, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await session.rows<{ id: number }>(SQL.existing, ids);
  return new Set(rows.map((row) => row.id));
}

function saveLinks(
  session: Session,
  locked: Locked,
  now: Millis,
  kind: "dep_added" | "dep_removed",
  changed: readonly number[],
  caller: Caller,
  blockedBy: readonly number[],
): Task {
  const { row, drafts } = renewedByActing(locked, caller, now);
  if (changed.length === 0) {
    savePlans(session, [{ row: row === locked.row ? null : row, drafts, task: locked.task }], now);
    return readTask(row, now);
  }
  const after = { ...withFields(row, {}, now), blocked_by: blockedBy.toSorted((a, b) => a - b) };
  const task = readTask(after, now);
  const event: EventDraft = {
    task: task.id,
    kind,
    by: caller,
    fence: locked.lease.fence,
    data: { blockers: changed },
  };
  savePlans(session, [{ row: after, drafts: [...drafts, event], task }], now);
  return task;
}
