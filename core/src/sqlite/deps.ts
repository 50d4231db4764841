import type { Caller } from "../ledger.ts";
import { cycleRefusal, noDependency } from "../rules/dependencies.ts";
import type { Task } from "../task.ts";
import { writableTask } from "./batch.ts";
import { requireTask } from "./existing.ts";
import { renewIfMine } from "./renew.ts";
import type { Store, Tx } from "./store.ts";
import { oneTask, setColumns } from "./write.ts";

/** Adds `blocker → id`. Throws `not_found`, or `cycle` when the blocker waits for this task itself. False: it was there. */
export function insertDependency(store: Store, id: number, blocker: number): boolean {
  requireTask(store, blocker);
  if (waitsFor(store, blocker, id)) throw cycleRefusal(id, blocker);
  const { changes } = store.run("INSERT OR IGNORE INTO alai_deps (task_id, blocker_id) VALUES (?, ?)", id, blocker);
  return Number(changes) > 0;
}

/** False: it was not there. */
export function deleteDependency(store: Store, id: number, blocker: number): boolean {
  const { changes } = store.run("DELETE FROM alai_deps WHERE task_id = ? AND blocker_id = ?", id, blocker);
  return Number(changes) > 0;
}

/** True when `id` is `other`, or waits for it over any number of steps. */
function waitsFor(store: Store, id: number, other: number): boolean {
  const sql =
    "WITH RECURSIVE chain(id) AS (VALUES (?) UNION SELECT d.blocker_id FROM alai_deps d JOIN chain ON d.task_id = chain.id) SELECT 1 FROM chain WHERE id = ?";
  return store.get(sql, id, other) !== undefined;
}

export function addDependencies(store: Store, tx: Tx, id: number, blockers: readonly number[], caller: Caller): Task {
  return changeDependencies(store, tx, id, blockers, caller, "dep_added", (blocker) =>
    insertDependency(store, id, blocker),
  );
}

export function removeDependencies(
  store: Store,
  tx: Tx,
  id: number,
  blockers: readonly number[],
  caller: Caller,
): Task {
  return changeDependencies(store, tx, id, blockers, caller, "dep_removed", (blocker) => {
    if (!deleteDependency(store, id, blocker)) throw noDependency(id, blocker);
    return true;
  });
}

function changeDependencies(
  store: Store,
  tx: Tx,
  id: number,
  blockers: readonly number[],
  caller: Caller,
  kind: "dep_added" | "dep_removed",
  change: (blocker: number) => boolean,
): Task {
  const locked = writableTask(store, tx, id, caller);
  const changed = blockers.filter(change);
  renewIfMine(store, tx, locked, caller);
  if (changed.length > 0) {
    setColumns(store, tx, id, {});
    tx.append({ task: id, kind, by: caller, fence: locked.fence, data: { blockers: changed } });
  }
  return oneTask(store, tx.now, id);
}
