import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { openLedger } from "../../mc/open.ts";
import { STATUS_FIELDS, statusView } from "../../mc/views/lease.ts";
import { IDS, OFFLINE_FLAG } from "./shared.ts";

export const command = defineCommand({
  summary: "who holds a task, until when",
  description:
    "Exit 0 whether it is held or not.\nLines (not on a terminal): id, `held` or `available`, holder, until, fence.",
  examples: [
    ["alai mc claim-status 12", "held by whom, or available"],
    ["alai mc claim-status 12 --json=state,holder,until", "for a script"],
  ],
  args: IDS,
  flags: OFFLINE_FLAG,
  fields: STATUS_FIELDS,
  async run(context, { args: [ids], flags }) {
    const ledger = await openLedger(context, "tasks", flags.offline);
    const found = await ledger.leaseStatus(ids, context.identity());
    await printResults(context, found, statusView(context.clock()), ids.length === 1);
  },
});
