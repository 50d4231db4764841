import type { ImportLine } from "../ledger.ts";
import type { NewTask, Task } from "../task.ts";
import type { Millis } from "../time.ts";
import type { EventDraft } from "./draft.ts";

/** What an import knows of a task beyond what `add` may say. */
export interface Origin {
  readonly id?: number;
  readonly created_at?: Millis;
  readonly done_at?: Millis;
}

/** Ids go on from the highest there is: one at the end of the range (2³¹ − 1) would leave no room for the next tasks. */
const HIGHEST_KEPT = 2_000_000_000;

/** @param keep its id is free here. */
export function originOf(line: ImportLine, keep: boolean): Origin {
  const { id, created_at, done_at } = line;
  return {
    ...(keep && id !== undefined && id <= HIGHEST_KEPT && { id }),
    ...(created_at != null && { created_at }),
    ...(done_at != null && { done_at }),
  };
}

/** The task is written without its parent first: that may come later in the same import. */
export function withoutParent(line: ImportLine): NewTask {
  return { ...line, parent: null };
}

/** By what a second run of the same file finds a task again, whatever number it got here. */
export function importKey(line: Pick<ImportLine, "id" | "title" | "created_at">): string {
  return JSON.stringify([line.id, line.title, line.created_at ?? null]);
}

/** A line without a dedup key may be the task that has its id here: our own export. */
export function mayBeHere(line: ImportLine): line is ImportLine & { readonly id: number; readonly created_at: Millis } {
  return !line.dedup_key && line.id !== undefined && line.created_at != null;
}

export function isSameTask(line: ImportLine, here: Task): boolean {
  return here.title === line.title && here.created_at === line.created_at;
}

export function importedEvent(id: number, line: ImportLine, by: EventDraft["by"]): EventDraft {
  const { id: from, title, created_at } = line;
  return {
    task: id,
    kind: "imported",
    by,
    fence: 0,
    ...(from !== undefined && { data: { from: { id: from, title, created_at: created_at ?? null } } }),
  };
}

/** Source id to the id here, where they differ. */
export function renumberedOf(ids: ReadonlyMap<number, number>): Readonly<Record<number, number>> {
  return Object.fromEntries([...ids].filter(([from, to]) => from !== to));
}
