import { defineCommand } from "../../kit/command.ts";
import { TASK_FIELDS } from "../../mc/views/task.ts";
import { FENCE_FLAG, IDS } from "./shared.ts";
import { changeStatus, REASON_FLAG } from "./status.ts";

export const command = defineCommand({
  summary: "open tasks again",
  description: "From paused, done or cancelled. Several ids: all or none. Lines (not on a terminal): id, status.",
  examples: [["alai mc reopen 12", "it is not done after all"]],
  args: IDS,
  flags: { ...REASON_FLAG, ...FENCE_FLAG },
  fields: TASK_FIELDS,
  run: (context, { args: [ids], flags }) =>
    changeStatus(context, ids, { verb: "reopened", reason: flags.reason }, "Reopened", flags.fence),
});
