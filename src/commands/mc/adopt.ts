import { resolve } from "node:path";
import type { AdoptionPlan } from "@alai/core/sqlite/adoption-plan";
import { defineCommand } from "../../kit/command.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { confirm } from "../../kit/prompt.ts";
import { oneLine } from "../../kit/text.ts";
import { writeSetting } from "../../kit/write-settings.ts";

export const command = defineCommand({
  summary: "use another program's ledger in place",
  description:
    "Adds the columns, tables and indexes that are missing to an SQLite file that has a table tasks with id, title and status.\nNothing is dropped, renamed or rewritten, and the other program goes on using the file. A backup is made beside it first.",
  examples: [
    ["alai mc adopt mission-control.db --dry-run", "what would be added"],
    ["alai mc adopt mission-control.db --yes --use", "do it, and use that ledger from now on"],
  ],
  args: [{ name: "file", summary: "the file to adopt" }],
  flags: {
    yes: { short: "y", summary: "do not ask" },
    dryRun: { summary: "print the plan and change nothing" },
    use: { summary: "make it the default ledger (setting mc.db)" },
  },
  fields: {
    file: "the file",
    adopted: "true when it is a ledger of alai now",
    tasks: "how many tasks it has",
    open: "how many are open",
    journal_mode: "SQLite's journal mode, left as it is",
    add_columns: "array of {name, type}",
    use_columns: "its columns that alai uses as they are",
    keep_columns: "its columns that alai leaves alone",
    statements: "SQL that is run",
    words: "its words, and what they are understood as",
    unknown_words: "its words that are shown as they are",
    backup: "the copy made before, or null",
  },
  prompts: { "Adopt it?": "--yes" },
  async run(context, { args: [name], flags }) {
    const file = resolve(context.cwd, name);
    const { adopt, planAdoption } = await import("@alai/core/sqlite/adopt");
    const plan = await planAdoption(file);
    const { json } = context.flags;
    if (!json) context.io[flags.dryRun ? "out" : "err"](describe(plan));
    if (flags.dryRun) return json ? printJson(context, planJson(plan, plan.adopted, null)) : undefined;
    if (!plan.adopted && !flags.yes && !(await confirm(context, `Adopt ${oneLine(file)}?`, "--yes")))
      throw new Exit(EXIT.refused, "not_adopted", "Nothing was changed.");
    const done = await withSpinner(context, "Adopting", () => adopt(file, context.caller()));
    if (flags.use) await writeSetting(context, "mc.db", file);
    if (json) return printJson(context, planJson(done.plan, true, done.backup));
    context.io.out(`${oneLine(file)}\t${done.plan.tasks}\t${done.plan.open}\n`);
    if (done.backup) context.warn(`backup in ${oneLine(done.backup)}`);
    if (!flags.use) context.warn(`to use it by default: alai config set mc.db ${oneLine(file)}`);
  },
});

function planJson({ columns: _, ...plan }: AdoptionPlan, adopted: boolean, backup: string | null) {
  return { ...plan, adopted, backup };
}

function describe(plan: AdoptionPlan): string {
  if (plan.adopted)
    return `${oneLine(plan.file)} is a ledger of alai already: ${plan.tasks} tasks, ${plan.open} open.\n`;
  const words = Object.entries(plan.words).map(([theirs, ours]) => `${theirs} = ${ours}`);
  const list = (items: readonly string[]) => (items.length === 0 ? "none" : oneLine(items.join(", ")));
  const rows = [
    ["tasks", `${plan.tasks}, ${plan.open} open`],
    ["uses", list(plan.use_columns)],
    ["leaves alone", list(plan.keep_columns)],
    ["adds columns", list(plan.add_columns.map((column) => column.name))],
    ["adds beside", "tables and indexes named alai_…"],
    ["understands", list(words)],
    ["shows as is", list(plan.unknown_words)],
  ];
  return [oneLine(plan.file), ...rows.map(([label, value]) => `  ${String(label).padEnd(13)}${value}`), ""].join("\n");
}
