import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { duration } from "../../kit/values.ts";
import { claimWhenFree } from "../../mc/claim.ts";
import { openLedger } from "../../mc/open.ts";
import { patiently } from "../../mc/patience.ts";
import { GRANT_FIELDS, grantView } from "../../mc/views/lease.ts";
import { callerFor, enforced, IDS, leaseTtl, TTL_FLAGS } from "./shared.ts";

export const command = defineCommand({
  summary: "claim tasks for this session",
  description:
    "Takes the lease when nobody holds it: exit 0. Held by another: exit 1, and stderr says by whom and until when.\nClaiming again in the same session is a retry: exit 0, the same fence. Several ids: all or none.\n--wait goes on over an outage of the server, for a minute or as long as --timeout says; then exit 69.\nLines (not on a terminal): id, fence, holder, until.",
  examples: [
    ["alai mc claim 12", "take it for ten minutes"],
    ["alai mc claim 12 --ttl 2h --actor john --session laptop", "longer, and as someone else"],
    ["alai mc claim 12 --wait 5m", "queue for it"],
    ["alai mc run 12 -- make deploy", "better: claim, renew by itself, and release at the end"],
  ],
  args: IDS,
  flags: {
    ...TTL_FLAGS,
    wait: { value: "TIME", summary: "how long to wait while another holds it", parse: duration },
  },
  fields: GRANT_FIELDS,
  async run(context, { args: [ids], flags }) {
    const ttl = leaseTtl(context, flags);
    const ledger = await openLedger(context, "tasks");
    const caller = callerFor(context, ids);
    const grants = await enforced(context, () =>
      claimWhenFree(ledger, ids, caller, ttl, flags.wait ?? 0, patiently(context, context.interrupted)),
    );
    await printResults(context, grants, grantView("Claimed", context.clock()), ids.length === 1);
  },
});
