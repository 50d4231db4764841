import { type Added, type Caller, type NewTask, notFound } from "@alai/core";
import { readExisting } from "./dependencies.ts";
import { type Graph, readGraph, sendDependencies } from "./graph.ts";
import { sendLines } from "./journal.ts";
import { newRow, sendNewRows } from "./new-task.ts";
import { lockHead } from "./numbers.ts";
import { readTask, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/**
 * Adds tasks, or finds those with their dedup keys. The head is locked first: it gives out the numbers, and with it nobody
 * else adds a task with the same key.
 */
export async function addTasks(session: Session, tasks: readonly NewTask[], caller: Caller): Promise<Added[]> {
  const [head, keyed, there, graph] = await Promise.all([
    lockHead(session),
    readKeyed(session, tasks),
    readExisting(session, tasks.flatMap(linksOf)),
    readGraph(
      session,
      tasks.flatMap(({ blocked_by }) => blocked_by ?? []),
    ),
  ]);
  const known = new Set(there);
  const fresh: TaskRow[] = [];
  const added = tasks.map((task): Added => {
    const here = task.dedup_key ? keyed.get(task.dedup_key) : undefined;
    if (here) return { task: readTask(here, head.now), existing: true };
    const id = head.numbers.next();
    known.add(id);
    const row = { ...newRow(id, task, head.now), blocked_by: blockersOf(id, task, known, graph) };
    fresh.push(row);
    if (row.dedup_key) keyed.set(row.dedup_key, row);
    return { task: readTask(row, head.now), existing: false };
  });
  sendNewRows(session, fresh);
  sendDependencies(
    session,
    fresh.flatMap(({ id, blocked_by }) => blocked_by.map((blocker) => [id, blocker] as const)),
  );
  head.numbers.save(session);
  sendLines(
    session,
    head.now,
    fresh.map(({ id, title }) => ({ task: id, kind: "added", by: caller, fence: 0, data: { title } })),
  );
  return added;
}

function linksOf({ parent, blocked_by }: NewTask): number[] {
  return [...(parent == null ? [] : [parent]), ...(blocked_by ?? [])];
}

/** What a new task waits for, by number. Throws `not_found` for links to what is not there, and `cycle`. */
function blockersOf(id: number, task: NewTask, known: ReadonlySet<number>, graph: Graph): number[] {
  for (const other of linksOf(task)) if (!known.has(other)) throw notFound(other);
  return (task.blocked_by ?? []).filter((blocker) => graph.add(id, blocker)).toSorted((a, b) => a - b);
}

/** Tasks that are here by their dedup keys, as far as these are asked for. */
export async function readKeyed(
  session: Session,
  tasks: readonly Pick<NewTask, "dedup_key">[],
  others: readonly string[] = [],
): Promise<Map<string, TaskRow>> {
  const keys = [...others, ...tasks.flatMap(({ dedup_key }) => (dedup_key ? [dedup_key] : []))];
  if (keys.length === 0) return new Map();
  const rows = await session.rows<TaskRow>(SQL.byDedupKey, keys);
  return new Map(rows.map((row) => [row.dedup_key ?? "", row]));
}
