import type { Caller } from "../ledger.ts";
import type { LockedTask } from "../rules/locked-task.ts";
import { requireWritable } from "../rules/writable.ts";
import { memoryOf } from "./journal.ts";
import { lockedTask } from "./locked-task.ts";
import type { Store, Tx } from "./store.ts";

/** Reads a task for a change and checks that the caller may make it (freshness, rule 3). */
export function writableTask(store: Store, tx: Tx, id: number, caller: Caller): LockedTask {
  const task = lockedTask(store, id);
  requireWritable(task, caller, tx.now, () => memoryOf(store, id, caller));
  return task;
}
