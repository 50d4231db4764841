import type { TaskPatch } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { dateOrNone, longText, name, nameOrNone, priority, taskId, title, wholeNumber } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { changedView, TASK_FIELDS } from "../../mc/views/task.ts";
import { callerFor, FENCE_FLAG, IDS } from "./shared.ts";

const idOrNone = (raw: string) => (raw === "" || raw === "none" ? null : taskId(raw));

export const command = defineCommand({
  summary: "change tasks",
  description: "`none` clears a field. Several ids: all or none are changed. Lines (not on a terminal): id, status.",
  examples: [
    ['alai mc edit 12 --title "Rotate all API keys" -p 0', "new title, highest priority"],
    ["alai mc edit 12 13 --tag security --untag later", "tags of two tasks"],
    ["alai mc edit 12 --due none --if-version 4", "only if nobody changed it since"],
  ],
  args: IDS,
  flags: {
    title: { value: "TEXT", summary: "new title", parse: title },
    description: {
      short: "d",
      value: "TEXT",
      summary: "new long text; - reads standard input, none clears",
      parse: longText("description"),
    },
    priority: { short: "p", value: "N", summary: "0 (highest) to 4", parse: priority },
    project: { value: "NAME", summary: "project, or none", parse: nameOrNone("project") },
    owner: { value: "NAME", summary: "owner, or none", parse: nameOrNone("owner") },
    tag: { short: "t", value: "TAG", summary: "add a tag", multiple: true, parse: name("tag") },
    untag: { value: "TAG", summary: "remove a tag", multiple: true, parse: name("tag") },
    parent: { value: "ID", summary: "the task it is part of, or none", parse: idOrNone },
    due: { value: "DATE", summary: "when it must be done, or none", parse: dateOrNone },
    defer: { value: "DATE", summary: "not before, or none", parse: dateOrNone },
    ifVersion: { value: "N", summary: "refuse when the task is at another version", parse: wholeNumber("version", 1) },
    ...FENCE_FLAG,
  },
  fields: TASK_FIELDS,
  async run(context, { args: [ids], flags }) {
    const { ifVersion, fence, tag, untag, defer, description, ...plain } = flags;
    const text = description === "-" ? await context.io.readStdin() : description;
    const patch: TaskPatch = {
      ...plain,
      description: text === "none" ? null : text,
      addTags: tag,
      removeTags: untag,
      deferred_until: defer,
    };
    if (Object.values(patch).every((value) => value === undefined))
      throw usage("Nothing to change is given.", `Type for example: alai mc edit ${ids[0]} --priority 1`);
    const ledger = await openLedger(context, "tasks");
    const tasks = await ledger.edit(ids, patch, callerFor(context, ids, fence), ifVersion);
    await printResults(context, tasks, changedView("Changed"), ids.length === 1);
  },
});
