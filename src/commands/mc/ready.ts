import { defineCommand } from "../../kit/command.ts";
import { TASK_FIELDS } from "../../mc/views/task.ts";
import { FENCE_FLAG, IDS } from "./shared.ts";
import { changeStatus, REASON_FLAG } from "./status.ts";

export const command = defineCommand({
  summary: "mark tasks ready to be picked up",
  description: "Ends this session's lease. Several ids: all or none. Lines (not on a terminal): id, status.",
  examples: [["alai mc ready 12", "someone can take it now"]],
  args: IDS,
  flags: { ...REASON_FLAG, ...FENCE_FLAG },
  fields: TASK_FIELDS,
  run: (context, { args: [ids], flags }) =>
    changeStatus(context, ids, { verb: "ready", reason: flags.reason }, "Ready:", flags.fence),
});
