import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { taskId } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { changedView, TASK_FIELDS } from "../../mc/views/task.ts";
import { callerFor, FENCE_FLAG, ID } from "./shared.ts";

export const command = defineCommand({
  summary: "stop a task waiting for others",
  description: "Lines (not on a terminal): id, status.",
  examples: [["alai mc dep rm 12 7 8", "task 12 no longer waits for tasks 7 and 8"]],
  args: [ID, { name: "blocker", summary: "ids of the tasks it waits for", variadic: true, parse: taskId }],
  flags: FENCE_FLAG,
  fields: TASK_FIELDS,
  async run(context, { args: [id, blockers], flags }) {
    const ledger = await openLedger(context, "tasks");
    const task = await ledger.removeDependency(id, blockers, callerFor(context, [id], flags.fence));
    await printResults(context, [task], changedView("Changed"), true);
  },
});
