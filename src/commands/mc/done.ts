import { defineCommand } from "../../kit/command.ts";
import { readEvidence } from "../../mc/evidence.ts";
import { TASK_FIELDS } from "../../mc/views/task.ts";
import { FENCE_FLAG, IDS } from "./shared.ts";
import { changeStatus, REASON_FLAG } from "./status.ts";

export const command = defineCommand({
  summary: "finish tasks",
  description:
    "Ends this session's lease. Refused while another session holds the task (exit 1) and when a newer claim exists (exit 5).\nEvidence files are hashed; path, SHA-256 and size are recorded. Several ids: all or none.\nLines (not on a terminal): id, status.",
  examples: [
    ["alai mc done 12", "finish it"],
    ["alai mc done 12 --evidence test.log screenshot.png", "with proof"],
    ["alai mc done 12 13 14", "three in one step"],
  ],
  args: IDS,
  flags: {
    evidence: { short: "e", value: "FILE", summary: "files that show it was done", variadic: true },
    ...REASON_FLAG,
    ...FENCE_FLAG,
  },
  fields: TASK_FIELDS,
  async run(context, { args: [ids], flags }) {
    const evidence = await readEvidence(flags.evidence ?? [], context.cwd);
    const requireEvidence = context.settings().get("mc.requireEvidence") === true;
    await changeStatus(
      context,
      ids,
      { verb: "done", evidence, reason: flags.reason, requireEvidence },
      "Done:",
      flags.fence,
    );
  },
});
