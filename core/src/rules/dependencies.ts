import { type BadInput, badInput, Refusal } from "../refusal.ts";

/** Why `id` cannot wait for `blocker`: it is itself, which no state of the ledger allows, or it waits for `id` already. */
export function cycleRefusal(id: number, blocker: number): Refusal | BadInput {
  if (id === blocker)
    return badInput(
      "A task cannot wait for itself.",
      `Name another task, for example: alai mc dep add ${id} ${id + 1}`,
    );
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
