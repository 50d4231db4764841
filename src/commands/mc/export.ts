import { linkSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { LedgerEvent } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { narrow } from "../../kit/output.ts";
import { oneLine, toJson } from "../../kit/text.ts";
import { openLedger } from "../../mc/open.ts";
import { TASK_FIELDS, taskJson } from "../../mc/views/task.ts";
import { EXPORT_FIELDS } from "../../mc/views/transfer-fields.ts";
import { OFFLINE_FLAG } from "./shared.ts";

export const command = defineCommand({
  summary: "all tasks as JSONL",
  description:
    "One JSON object a line, every field, in the order of ids, with the notes; `alai mc import` reads it back.",
  examples: [
    ["alai mc export > tasks.jsonl", "everything"],
    ["alai mc export --output tasks.jsonl", "the same; never overwrites a file"],
    ["alai mc export --sqlite ledger.db", "a whole ledger with its journal and leases, as a new SQLite file"],
  ],
  args: [],
  flags: {
    output: { short: "o", value: "FILE", summary: "a new file, instead of standard output" },
    ...OFFLINE_FLAG,
    sqlite: { value: "FILE", summary: "a new SQLite ledger with everything, every row compared" },
  },
  fields: { ...TASK_FIELDS, notes: "array of texts", ...EXPORT_FIELDS },
  async run(context, { flags }) {
    if (flags.sqlite !== undefined) return sqlite(context, flags);
    const ledger = await openLedger(context, "read", flags.offline);
    const { tasks } = await ledger.list({ status: [], sort: [{ key: "id", descending: false }] });
    const notes = notesByTask(await ledger.events({}));
    const lines = tasks.map((task) => {
      const record = { ...taskJson(task), notes: notes.get(task.id) ?? [] };
      return `${toJson(narrow(record, context.flags.json ?? []))}\n`;
    });
    if (flags.output === undefined) context.io.out(lines.join(""));
    else writeNew(resolve(context.cwd, flags.output), lines.join(""));
  },
});

function notesByTask(events: readonly LedgerEvent[]): Map<number, string[]> {
  const notes = new Map<number, string[]>();
  for (const event of events) {
    if (event.kind !== "noted" || event.task === null) continue;
    notes.set(event.task, [...(notes.get(event.task) ?? []), String(event.data.text)]);
  }
  return notes;
}

interface SqliteFlags {
  readonly sqlite?: string | undefined;
  readonly output?: string | undefined;
  readonly offline?: boolean | undefined;
}

async function sqlite(context: Context, { sqlite: file = "", output, offline }: SqliteFlags): Promise<void> {
  if (output !== undefined) throw usage("--sqlite and --output are two kinds of export.", "Leave one of them out.");
  const ledger = await openLedger(context, "read", offline);
  const { exportSqlite } = await import("../../mc/transfer/export.ts");
  const { printExport } = await import("../../mc/views/transfer.ts");
  await printExport(context, await exportSqlite(context, ledger, resolve(context.cwd, file)));
}

/** Written aside and then named; a file that is there is left alone. */
function writeNew(file: string, text: string): void {
  const aside = `${file}.${process.pid}.tmp`;
  writeFileSync(aside, text, { flag: "wx", mode: 0o600 });
  try {
    linkSync(aside, file);
  } catch {
    throw usage(`${oneLine(file)} cannot be made; is it there already?`, "Name a file that does not exist.");
  } finally {
    rmSync(aside, { force: true });
  }
}
