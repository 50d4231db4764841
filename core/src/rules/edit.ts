import type { Changes } from "../event.ts";
import { Refusal } from "../refusal.ts";
import type { Task, TaskPatch } from "../task.ts";

/** Throws `version_conflict` when someone changed the task since the caller read it. */
export function requireVersion(task: Task, version: number | undefined): void {
  if (version === undefined || task.version === version) return;
  throw new Refusal(
    "version_conflict",
    `Task ${task.id} is at version ${task.version}, not ${version}: someone changed it.`,
    { taskId: task.id, hint: `Look at it again with \`alai mc show ${task.id}\`.` },
  );
}

/** What a patch changes of a task: only fields that come out different. */
export function changesOf(before: Task, patch: TaskPatch): Changes {
  const { addTags, removeTags, ...fields } = patch;
  const wanted: Record<string, unknown> = { ...fields };
  if (addTags || removeTags)
    wanted.tags = [...new Set([...before.tags, ...(addTags ?? [])])].filter((tag) => !removeTags?.includes(tag));
  return Object.fromEntries(
    Object.entries(wanted)
      .filter(
        ([field, after]) =>
          after !== undefined && JSON.stringify(after) !== JSON.stringify(before[field as keyof Task]),
      )
      .map(([field, after]) => [field, [before[field as keyof Task], after] as const]),
  );
}

/** The values that a change leaves. */
export function valuesAfter(changes: Changes): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(changes).map(([field, [, after]]) => [field, after]));
}

/** Walks up from `parent`. Throws `cycle` when that is `id` or below it. @param parentOf throws `not_found`. */
export function requireNoLoop(id: number, parent: number, parentOf: (id: number) => number | null): void {
  const seen = new Set<number>();
  for (let at: number | null = parent; at !== null && !seen.has(at); at = parentOf(at)) {
    if (at === id)
      throw new Refusal("cycle", `Task ${parent} is below task ${id} already; it cannot be its parent.`, {
        taskId: id,
      });
    seen.add(at);
  }
}
