import type { NewTask } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import { date, longText, name, priority, taskId, title } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { TASK_FIELDS, taskJson } from "../../mc/views/task.ts";

export const command = defineCommand({
  summary: "add a task",
  description:
    "Without a title the task is read from standard input: the first line is the title, the rest the description.\nPrints the new id.",
  examples: [
    ['alai mc add "Rotate the API keys"', "add a task; prints its id"],
    ['alai mc add "Rotate the API keys" -p 1 --project infra --tag security --due +3d', "with more about it"],
    ['alai mc add "Disk full on forge" --dedup-key disk-forge', "once only: later calls give the same task"],
    ["alai mc add < task.txt", "title and description from a file"],
  ],
  args: [{ name: "title", summary: "a title", optional: true }],
  flags: {
    description: {
      short: "d",
      value: "TEXT",
      summary: "the long text; - reads standard input",
      parse: longText("description"),
    },
    priority: {
      short: "p",
      value: "N",
      summary: "0 (highest) to 4, or critical to lowest; 2 when not given",
      parse: priority,
    },
    project: { value: "NAME", summary: "project", parse: name("project") },
    owner: { value: "NAME", summary: "who answers for it", parse: name("owner") },
    tag: { short: "t", value: "TAG", summary: "a tag", multiple: true, parse: name("tag") },
    parent: { value: "ID", summary: "the task it is part of", parse: taskId },
    blockedBy: { value: "ID", summary: "a task it waits for", multiple: true, parse: taskId },
    due: { value: "DATE", summary: "when it must be done: 2026-12-01, tomorrow, +3d", parse: date },
    defer: { value: "DATE", summary: "not before: `next` leaves it out until then", parse: date },
    dedupKey: { value: "KEY", summary: "if a task has this key already, give that one", parse: name("dedup key") },
  },
  fields: { ...TASK_FIELDS, existing: "true when the dedup key was there already" },
  async run(context, { args: [words], flags }) {
    if (words === "-" && flags.description === "-")
      throw usage("Standard input can be read once.", "Give the title as an argument.");
    const text = await readTask(words, flags.description, context.io);
    const task: NewTask = {
      ...text,
      priority: flags.priority,
      project: flags.project,
      owner: flags.owner,
      tags: flags.tag,
      parent: flags.parent,
      blocked_by: flags.blockedBy,
      due: flags.due,
      deferred_until: flags.defer,
      dedup_key: flags.dedupKey,
    };
    const ledger = await openLedger(context, "write");
    const added = await ledger.add([task], context.caller());
    await printResults(
      context,
      added,
      {
        columns: [{ header: "ID", value: (row) => String(row.task.id) }],
        json: (row) => ({ ...taskJson(row.task), existing: row.existing }),
        sentence: ({ task: of, existing }, style) =>
          `${style.good("✓")} ${existing ? "Here already:" : "Added"} ${style.strong(`#${of.id}`)} ${oneLine(of.title)}`,
      },
      true,
    );
  },
});

async function readTask(
  words: string | undefined,
  description: string | undefined,
  io: { stdinIsTty: boolean; readStdin(): Promise<string> },
): Promise<{ title: string; description?: string | undefined }> {
  if (words !== undefined && words !== "-")
    return { title: title(words), description: description === "-" ? checked(await io.readStdin()) : description };
  if (words === undefined && io.stdinIsTty)
    throw usage("The title is missing.", 'Type for example: alai mc add "Rotate the API keys"');
  const [first = "", ...rest] = (await io.readStdin()).replaceAll("\r\n", "\n").split("\n");
  const body = rest.join("\n").trim();
  return { title: title(first), description: description ?? (body === "" ? undefined : checked(body)) };
}

const checked = longText("description");
