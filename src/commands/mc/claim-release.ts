import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { openLedger } from "../../mc/open.ts";
import { RELEASED_FIELDS, RELEASED_VIEW } from "../../mc/views/lease.ts";
import { callerFor, enforced, FENCE_FLAG, IDS } from "./shared.ts";

export const command = defineCommand({
  summary: "give the lease back",
  description:
    "Free already and this session held it last: exit 0. Held by another: exit 1, untouched.\nLines (not on a terminal): id, `available`.",
  examples: [["alai mc claim-release 12", "let others have it"]],
  args: IDS,
  flags: FENCE_FLAG,
  fields: RELEASED_FIELDS,
  async run(context, { args: [ids], flags }) {
    const ledger = await openLedger(context, "tasks");
    const caller = callerFor(context, ids, flags.fence);
    const released = await enforced(context, () => ledger.release(ids, caller));
    await printResults(context, released, RELEASED_VIEW, ids.length === 1);
  },
});
