import { defineCommand } from "../../kit/command.ts";
import { printRows } from "../../kit/output.ts";
import { openLedger } from "../../mc/open.ts";
import { SWEPT_FIELDS, sweptView } from "../../mc/views/lease.ts";

export const command = defineCommand({
  summary: "list leases that ran out",
  description:
    "Such a task can be claimed at once; sweeping only tidies. The fence stays, so who finishes late is still accepted unless\nsomeone took the task.\nLines (not on a terminal): id, holder, ended, `expired` or `released`, title.",
  examples: [
    ["alai mc claim-sweep", "list them"],
    ["alai mc claim-sweep --auto-release", "take the holders off"],
  ],
  args: [],
  flags: { autoRelease: { summary: "take the holders off" } },
  fields: SWEPT_FIELDS,
  async run(context, { flags }) {
    const autoRelease = flags.autoRelease ?? false;
    const ledger = await openLedger(context, "read");
    await printRows(context, await ledger.sweep(context.caller(), autoRelease), sweptView(context.clock()));
  },
});
