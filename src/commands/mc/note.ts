import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { longText, MAX_NOTE, taskId } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { EVENT_FIELDS, eventJson } from "../../mc/views/event.ts";

const noteText = longText("note", MAX_NOTE);

export const command = defineCommand({
  summary: "write a note on tasks",
  description:
    "Anyone may, also on a task that another holds. Without a text standard input is read. Prints the event's number.",
  examples: [
    ['alai mc note 12 "Waiting for the vendor"', "on one task"],
    ["make 2>&1 | tail -20 | alai mc note 12", "from a pipe"],
  ],
  args: [
    { name: "id", summary: "a task id", parse: taskId },
    { name: "text", summary: "the note", optional: true, parse: noteText },
  ],
  flags: {},
  fields: EVENT_FIELDS,
  async run(context, { args: [id, words] }) {
    if ((words === undefined && context.io.stdinIsTty) || words?.trim() === "")
      throw usage("The note is empty.", `Type for example: alai mc note ${id} "Waiting for the vendor"`);
    const text = words === undefined || words === "-" ? noteText((await context.io.readStdin()).trimEnd()) : words;
    const ledger = await openLedger(context, "tasks");
    const events = await ledger.note([id], text, context.caller(id));
    await printResults(
      context,
      events,
      {
        columns: [{ header: "SEQ", value: (event) => String(event.seq) }],
        json: eventJson,
        sentence: (_, style) => `${style.good("✓")} Noted on ${style.strong(`#${id}`)}`,
      },
      true,
    );
  },
});
