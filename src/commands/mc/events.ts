import type { LedgerEvent } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { narrow, printRows, toLine } from "../../kit/output.ts";
import { styleFor } from "../../kit/style.ts";
import { toJson } from "../../kit/text.ts";
import { taskId, wholeNumber } from "../../kit/values.ts";
import { followEvents } from "../../mc/follow.ts";
import { openLedger } from "../../mc/open.ts";
import { patiently } from "../../mc/patience.ts";
import { EVENT_FIELDS, eventJson, eventLine, eventView } from "../../mc/views/event.ts";
import { OFFLINE_FLAG } from "./shared.ts";

const RECENT = 50;

export const command = defineCommand({
  summary: "the journal",
  description:
    "Oldest first. Numbers rise by one without a gap, in the order things happened. --follow waits out an\noutage of the server, for a minute or as long as --timeout says, and goes on where it was; then exit 69.\nLines (not on a terminal): seq, time, task, kind, actor:session, fence, detail.",
  examples: [
    ["alai mc events", `the last ${RECENT}`],
    ["alai mc events --task 12", "of one task"],
    ["alai mc events --follow --json", "as they come, one JSON value a line"],
    ["alai mc events --after 4711 --limit 0", "all that a reader has not seen yet"],
  ],
  args: [],
  flags: {
    follow: { short: "f", summary: "go on, and print what comes" },
    after: { value: "SEQ", summary: "only events after this number", parse: wholeNumber("event number") },
    task: { value: "ID", summary: "only of this task", parse: taskId },
    limit: {
      short: "n",
      value: "N",
      summary: `at most N, 0 is all (${RECENT}; all with --after)`,
      parse: wholeNumber("limit"),
    },
    ...OFFLINE_FLAG,
  },
  fields: EVENT_FIELDS,
  async run(context, { flags }) {
    refuseFollowing(flags);
    const ledger = await openLedger(context, flags.follow ? "write" : "read", flags.offline);
    const { after, task } = flags;
    const limit = flags.limit ?? (after === undefined ? RECENT : 0);
    const range = limit === 0 ? {} : after === undefined ? { last: limit } : { limit };
    // Read before the events: what comes in between is among them.
    const [newest] = flags.follow && after === undefined ? await ledger.events({ last: 1 }) : [];
    const first = await ledger.events({
      ...(after !== undefined && { after }),
      ...(task !== undefined && { task }),
      ...range,
    });
    if (!flags.follow) {
      await printRows(context, first, eventView(context.clock()));
      return EXIT.ok;
    }
    const print = await printer(context);
    print(first);
    const seen = Math.max(first.at(-1)?.seq ?? after ?? 0, newest?.seq ?? 0);
    await followEvents(ledger, seen, { ...patiently(context, context.interrupted), task, hand: print });
    return context.interrupted.aborted ? EXIT.interrupted : EXIT.ok;
  },
});

function refuseFollowing({ follow, offline }: { follow?: boolean | undefined; offline?: boolean | undefined }): void {
  if (follow && offline)
    throw usage("--follow waits for what the server says; --offline does not ask it.", "Leave one of them out.");
}

/** Prints each event on a line, as it comes. */
async function printer(context: Context): Promise<(events: readonly LedgerEvent[]) => void> {
  const { flags, io } = context;
  const { json } = flags;
  const { columns } = eventView(context.clock());
  const style = await styleFor(context, io.stdoutIsTty);
  const line = (event: LedgerEvent) => {
    if (json) return toJson(narrow(eventJson(event), json));
    if (io.stdoutIsTty && !flags.quiet) return eventLine(event, style, io.columns, context.clock());
    return toLine(columns.map((column) => column.value(event)));
  };
  return (events) => {
    for (const event of events) io.out(`${line(event)}\n`);
  };
}
