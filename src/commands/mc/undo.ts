import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { wholeNumber } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { EVENT_FIELDS, eventJson } from "../../mc/views/event.ts";

export const command = defineCommand({
  summary: "reverse a change",
  description:
    "Reverses this session's newest change, or the event named, by a new event; the journal keeps both. An added task is\ncancelled. A lease is not undone but released. Refused when the same field was changed again since.\nLines (not on a terminal): seq, task, what was undone.",
  examples: [
    ["alai mc undo", "the newest change of this session"],
    ["alai mc undo 4711", "event 4711 of `alai mc events` (not task 4711)"],
  ],
  args: [{ name: "seq", summary: "an event's number", optional: true, parse: wholeNumber("event number", 1) }],
  flags: {},
  fields: EVENT_FIELDS,
  async run(context, { args: [seq] }) {
    const ledger = await openLedger(context, "read");
    const event = await ledger.undo(seq ?? null, context.caller());
    await printResults(
      context,
      [event],
      {
        columns: [
          { header: "SEQ", value: () => String(event.seq) },
          { header: "TASK", value: () => String(event.task ?? "") },
          { header: "UNDONE", value: () => String(event.data.kind) },
        ],
        json: eventJson,
        sentence: (_, style) =>
          `${style.good("✓")} Undone on ${style.strong(`#${event.task}`)}: ${event.data.kind} (event ${event.data.undoes})`,
      },
      true,
    );
  },
});
