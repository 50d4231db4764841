import { defineCommand } from "../../kit/command.ts";
import { EXIT } from "../../kit/exit.ts";
import { printResults } from "../../kit/output.ts";
import { duration, oneOf } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { patiently } from "../../mc/patience.ts";
import { WAITED_FIELDS, waitedView } from "../../mc/views/waited.ts";
import { waitFor } from "../../mc/wait.ts";
import { ID } from "./shared.ts";

const goal = oneOf("goal", ["free", "done"]);

export const command = defineCommand({
  summary: "wait until a task is free or done",
  description:
    "Exit 0 when it is, 1 when the time is over. An outage of the server is waited out, for a minute or as long as\nALAI_MC_TIMEOUT says, but not beyond --timeout; then exit 69. Lines (not on a terminal): id, what it is now (`available`, or `done` or\n`cancelled` when it is finished), holder, until, fence.",
  examples: [
    ["alai mc wait 12", "until nobody holds it, or it is finished"],
    ["alai mc wait 12 --for done --timeout 1h", "until it is finished, an hour at most"],
  ],
  args: [ID],
  flags: {
    for: { value: "WHAT", summary: "free (finished counts too) or done; free when not given", parse: goal },
    timeout: { value: "TIME", summary: "how long at most; without it as long as it takes", parse: duration },
  },
  fields: WAITED_FIELDS,
  async run(context, { args: [id], flags }) {
    const ledger = await openLedger(context, "tasks");
    const limit = flags.timeout ?? Number.POSITIVE_INFINITY;
    const waiting = patiently(context, context.interrupted, "ALAI_MC_TIMEOUT");
    const waited = await waitFor(ledger, id, flags.for ?? "free", limit, context.identity(), waiting);
    if (!waited) return EXIT.interrupted;
    await printResults(context, [waited], waitedView(context.clock()), true);
    return EXIT.ok;
  },
});
