import type { Grant, NextTask } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Task } from "../task.ts";
import type { Millis } from "../time.ts";

const DAY: Millis = 24 * 3_600_000;

export function noneReady(): Refusal {
  return new Refusal("none_ready", "No task is ready: every open one is held, blocked, deferred or filtered out.", {
    hint: "See what stands in the way with `alai mc list --held` and `alai mc list --blocked`.",
  });
}

/** Why this task comes first: the order of `next` in words, only what applies. @param ready how many were, this one included. */
export function explainNext(task: Task, ready: number, now: Millis): string[] {
  const why = [
    `priority ${task.priority ?? task.priority_raw ?? "unset (counts as 2)"}, none of the ${ready} ready is higher`,
  ];
  if (task.due !== null) why.push(dueIn(task.due - now));
  why.push(ready === 1 ? "the only one ready" : "of equals the lowest id comes first");
  return why;
}

function dueIn(left: Millis): string {
  if (left < 0) return "overdue";
  if (left < DAY) return "due within a day";
  return `due in ${Math.floor(left / DAY)} days`;
}

/** The next task as it is once it was claimed. */
export function taken(next: NextTask, grant: Grant): NextTask {
  const { task, why } = next;
  const lease = { lease_state: "held", lease_holder: grant.holder, lease_until: grant.until } as const;
  return { task: { ...task, ...lease, fence: grant.fence, attempts: task.attempts + 1 }, why, grant };
}
