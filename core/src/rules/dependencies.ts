import { Refusal } from "../refusal.ts";

export function cycleRefusal(id: number, blocker: number): Refusal {
  return new Refusal("cycle", `Task ${blocker} waits for task ${id} already; they cannot wait for each other.`, {
    taskId: id,
    hint: `Type \`alai mc dep rm ${blocker} ${id}\` if it no longer does.`,
  });
}

export function noDependency(id: number, blocker: number): Refusal {
  return new Refusal("not_found", `Task ${id} does not wait for task ${blocker}.`, {
    taskId: id,
    hint: `Type \`alai mc show ${id}\` to see what it waits for.`,
  });
}
