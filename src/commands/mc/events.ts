import type { LedgerEvent, Millis } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { narrow, printRows, toLine } from "../../kit/output.ts";
import { toJson } from "../../kit/text.ts";
import { taskId, wholeNumber } from "../../kit/values.ts";
import { span } from "../../kit/when.ts";
import { followEvents } from "../../mc/follow.ts";
import { locateLedger, openLedger } from "../../mc/open.ts";
import { askedPatience } from "../../mc/patience.ts";
import { EVENT_FIELDS, eventJson, eventView } from "../../mc/views/event.ts";
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
    if (!flags.follow) return printRows(context, first, eventView(context.clock()));
    print(context, first);
    const seen = Math.max(first.at(-1)?.seq ?? after ?? 0, newest?.seq ?? 0);
    const patience = patienceFor(context);
    await followEvents(ledger, seen, {
      task,
      stop: context.interrupted,
      patience,
      hand: (events) => print(context, events),
      away: ({ message }) => say(context, `${message} Waiting for the server, ${span(patience)} at most (--timeout)`),
      back: () => say(context, "the server answers again"),
    });
    return context.interrupted.aborted ? 130 : 0;
  },
});

function refuseFollowing({ follow, offline }: { follow?: boolean | undefined; offline?: boolean | undefined }): void {
  if (follow && offline)
    throw usage("--follow waits for what the server says; --offline does not ask it.", "Leave one of them out.");
}

/** Long enough for a server that is restarted, or that wakes. */
const OUTAGE: Millis = 60_000;

/** A file is there or it is not; a server may come back. */
function patienceFor(context: Context): Millis {
  return locateLedger(context).kind === "url" ? (askedPatience(context) ?? OUTAGE) : 0;
}

function say(context: Context, sentence: string): void {
  if (!context.flags.quiet) context.warn(sentence);
}

/** One line an event, as it comes. */
function print(context: Context, events: readonly LedgerEvent[]): void {
  const { json } = context.flags;
  const { columns } = eventView(context.clock());
  for (const event of events) {
    const line = json ? toJson(narrow(eventJson(event), json)) : toLine(columns.map((column) => column.value(event)));
    context.io.out(`${line}\n`);
  }
}
