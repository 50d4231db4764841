import { defineCommand } from "../../kit/command.ts";
import { TASK_FIELDS } from "../../mc/views/task.ts";
import { FENCE_FLAG, IDS } from "./shared.ts";
import { changeStatus, REASON_FLAG } from "./status.ts";

export const command = defineCommand({
  summary: "put tasks aside",
  description:
    "A paused task is not listed as open and cannot be claimed. Ends this session's lease. Several ids: all or none. Lines (not on a terminal): id, status.",
  examples: [["alai mc pause 12", "not now"]],
  args: IDS,
  flags: { ...REASON_FLAG, ...FENCE_FLAG },
  fields: TASK_FIELDS,
  run: (context, { args: [ids], flags }) =>
    changeStatus(context, ids, { verb: "paused", reason: flags.reason }, "Paused", flags.fence),
});
