import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { styleFor } from "../../kit/style.ts";
import { showTask } from "../../mc/detail.ts";
import { openLedger } from "../../mc/open.ts";
import { EVENT_FIELDS, eventJson } from "../../mc/views/event.ts";
import { TASK_FIELDS, taskJson, taskView } from "../../mc/views/task.ts";
import { IDS, OFFLINE_FLAG } from "./shared.ts";

export const command = defineCommand({
  summary: "show tasks with lease and history",
  description: "Lines (not on a terminal) are those of `mc list`; the whole task with its history is in --json.",
  examples: [
    ["alai mc show 12", "one task, its lease and what happened to it"],
    ["alai mc show 12 --json=title,description,history", "for a script"],
  ],
  args: IDS,
  flags: OFFLINE_FLAG,
  fields: {
    ...TASK_FIELDS,
    history: `array of {${Object.keys(EVENT_FIELDS).join(", ")}}`,
    blocks: "ids of the tasks that wait for it",
    children: "ids of the tasks that are part of it",
  },
  async run(context, { args: [ids], flags }) {
    const ledger = await openLedger(context, "tasks", flags.offline);
    const tasks = await ledger.get(ids);
    const now = context.clock();
    if (context.io.stdoutIsTty && !context.flags.json && !context.flags.quiet) {
      const style = await styleFor(context, true);
      context.io.out(tasks.map((task) => showTask(task, style, now)).join("\n"));
      return;
    }
    const { columns } = taskView(now);
    await printResults(
      context,
      tasks,
      {
        columns: columns as never,
        json: ({ history, blocks, children, ...task }) => ({
          ...taskJson(task),
          history: history.map(eventJson),
          blocks,
          children,
        }),
      },
      ids.length === 1,
    );
  },
});
