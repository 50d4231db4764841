import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { oneLine } from "../../kit/text.ts";
import { readImport } from "../../mc/import.ts";
import { openLedger } from "../../mc/open.ts";

export const command = defineCommand({
  summary: "add tasks from JSONL, taskwarrior or gh",
  description:
    "One JSON object a line with our field names (only title is required), or what `task export` or `gh issue list --json`\nprints. All or nothing. Twice adds nothing: taskwarrior's and GitHub's tasks are known by uuid and URL, our own by id, title\nand time. Ids are kept where they are free. Lines (not on a terminal): added, existing.",
  examples: [
    ["alai mc import tasks.jsonl", "from a file"],
    ["task export | alai mc import", "from taskwarrior"],
    [
      "gh issue list --state all --limit 1000 --json number,title,body,state,labels,assignees,createdAt,closedAt,url | alai mc import",
      "from GitHub",
    ],
  ],
  args: [{ name: "file", summary: "a file; - or none is standard input", optional: true }],
  flags: {},
  fields: {
    added: "how many were added",
    existing: "how many were here already",
    unresolved: "links to tasks that are neither here nor in the input, left out",
    renumbered: "ids that were taken, with the new ones",
  },
  async run(context, { args: [file] }) {
    if (file === undefined && context.io.stdinIsTty)
      throw usage("Nothing to import is given.", "Type for example: alai mc import tasks.jsonl");
    const text =
      file === undefined || file === "-" ? await context.io.readStdin() : readFile(resolve(context.cwd, file));
    const lines = readImport(text);
    const ledger = await openLedger(context, "write");
    const result = await withSpinner(
      context,
      `Importing ${lines.length} ${lines.length === 1 ? "task" : "tasks"}`,
      () => ledger.import(lines, context.caller()),
    );
    if (result.unresolved > 0)
      context.warn(`${result.unresolved} links to tasks that are neither here nor in the input were left out`);
    await printResults(
      context,
      [result],
      {
        columns: [
          { header: "ADDED", value: (row) => String(row.added) },
          { header: "EXISTING", value: (row) => String(row.existing) },
        ],
        json: (row) => ({ ...row }),
        sentence: (row, style) =>
          `${style.good("✓")} Added ${row.added}${row.existing ? `, ${row.existing} were here already` : ""}`,
      },
      true,
    );
  },
});

function readFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw usage(`The file ${oneLine(file)} cannot be read.`, "Name a file that exists, or - for standard input.");
  }
}
