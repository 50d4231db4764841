import type { Task } from "../task.ts";
import type { Millis } from "../time.ts";

const DAY: Millis = 24 * 3_600_000;

/** Why this task comes first: the order of `next` in words, only what applies. */
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
