import { defineCommand } from "../../kit/command.ts";
import { TASK_FIELDS } from "../../mc/views/task.ts";
import { FENCE_FLAG, IDS } from "./shared.ts";
import { changeStatus, REASON_FLAG } from "./status.ts";

export const command = defineCommand({
  summary: "drop tasks",
  description:
    "Nothing is deleted; `mc reopen` brings it back. Ends this session's lease. Several ids: all or none. Lines (not on a terminal): id, status.",
  examples: [["alai mc cancel 12", "it will not be done"]],
  args: IDS,
  flags: { ...REASON_FLAG, ...FENCE_FLAG },
  fields: TASK_FIELDS,
  run: (context, { args: [ids], flags }) =>
    changeStatus(context, ids, { verb: "cancelled", reason: flags.reason }, "Cancelled", flags.fence),
});
