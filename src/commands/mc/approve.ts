import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { longText, MAX_REASON, ttl } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { APPROVAL_FIELDS, approvalView } from "../../mc/views/lease.ts";
import { IDS } from "./shared.ts";

const QUARTER_HOUR = 15 * 60_000;

export const command = defineCommand({
  summary: "let others act on a held task, on record",
  description:
    "The claim gate lets other sessions' tool calls about the task through until then; the journal keeps who approved and why.\nThe lease itself is not touched, and no session can approve for itself. Lines (not on a terminal): id, until.",
  examples: [['alai mc approve 12 --reason "john is away, finish the release" --for 30m', "for half an hour"]],
  args: IDS,
  flags: {
    reason: { value: "TEXT", summary: "why; needed", parse: longText("reason", MAX_REASON) },
    for: { value: "TIME", summary: "how long, 1s to 24h (15m)", parse: ttl },
  },
  fields: APPROVAL_FIELDS,
  async run(context, { args: [ids], flags }) {
    if (!flags.reason?.trim())
      throw usage("An approval needs a reason.", `Type alai mc approve ${ids[0]} --reason "why"`);
    const ledger = await openLedger(context, "tasks");
    const approvals = await ledger.approve(ids, flags.reason, flags.for ?? QUARTER_HOUR, context.caller());
    await printResults(context, approvals, approvalView(context.clock()), ids.length === 1);
  },
});
