import { cycleRefusal } from "@alai/core/rules/dependencies";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** Who waits for whom, as far as it can be reached from some tasks. */
export class Graph {
  readonly #blockers = new Map<number, Set<number>>();

  has(task: number, blocker: number): boolean {
    return this.#blockers.get(task)?.has(blocker) ?? false;
  }

  /** False: it was there. Throws `cycle` when the blocker waits for the task itself. */
  add(task: number, blocker: number): boolean {
    if (this.#waitsFor(blocker, task)) throw cycleRefusal(task, blocker);
    if (this.has(task, blocker)) return false;
    this.link(task, blocker);
    return true;
  }

  link(task: number, blocker: number): void {
    const blockers = this.#blockers.get(task);
    if (blockers) blockers.add(blocker);
    else this.#blockers.set(task, new Set([blocker]));
  }

  /** True when `id` is `other`, or waits for it over any number of steps. */
  #waitsFor(id: number, other: number): boolean {
    const seen = new Set<number>();
    const left = [id];
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      if (at === other) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      left.push(...(this.#blockers.get(at) ?? []));
    }
    return false;
  }
}

/** All that these tasks wait for. Whoever adds to it has the graph's lock, or gives new tasks their first blockers. */
export async function readGraph(session: Session, ids: readonly number[]): Promise<Graph> {
  const graph = new Graph();
  const rows = await session.rows<{ task: number; blocker: number }>(SQL.reachable, ids);
  for (const { task, blocker } of rows) graph.link(task, blocker);
  return graph;
}

export function sendDependencies(session: Session, pairs: readonly (readonly [task: number, blocker: number])[]): void {
  if (pairs.length === 0) return;
  session.send(
    SQL.addDependencies,
    pairs.map(([task]) => task),
    pairs.map(([, blocker]) => blocker),
  );
}
