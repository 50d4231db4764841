import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { openLedger } from "../../mc/open.ts";
import { GRANT_FIELDS, grantView } from "../../mc/views/lease.ts";
import { askedTtl, callerFor, enforced, FENCE_FLAG, IDS, TTL_FLAGS } from "./shared.ts";

export const command = defineCommand({
  summary: "make the lease longer",
  description:
    "Only while this session holds the task; a lease that ended is not brought back: claim it again.\nLines (not on a terminal): id, fence, holder, until.",
  examples: [
    ["alai mc claim-extend 12", "as long again as it was claimed for"],
    ["alai mc claim-extend 12 --ttl 1h", "an hour from now"],
  ],
  args: IDS,
  flags: { ...TTL_FLAGS, ...FENCE_FLAG },
  fields: GRANT_FIELDS,
  async run(context, { args: [ids], flags }) {
    const ttl = askedTtl(flags) ?? undefined;
    const ledger = await openLedger(context, "tasks");
    const caller = callerFor(context, ids, flags.fence);
    const grants = await enforced(context, () => ledger.extend(ids, caller, ttl));
    await printResults(context, grants, grantView("Extended", context.clock()), ids.length === 1);
  },
});
