import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, printRows, type View } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import type { Comparison, Tally } from "../transfer/compare.ts";
import type { Migration } from "../transfer/migrate.ts";

const number = (value: number) => value.toLocaleString("en");

const TALLY_VIEW: View<Tally> = {
  columns: [
    { header: "TABLE", value: (row) => row.table },
    ...(["source", "target", "same", "missing", "different", "extra"] as const).map((name) => ({
      header: name === "extra" ? "ONLY IN TARGET" : name.toUpperCase(),
      value: (row: Tally) => String(row[name]),
      show: (row: Tally) => number(row[name]),
      right: true,
    })),
  ],
  json: (row) => ({ ...row }),
};

function reportJson(found: Comparison, copied: number, took: Millis, copying: Millis) {
  return {
    equal: found.equal,
    tables: found.tables,
    differences: found.differences,
    seconds: Math.round(took) / 1000,
    rows_per_second: rate(copied, copying),
  };
}

function rate(rows: number, ms: Millis): number | null {
  return rows > 0 ? Math.round((rows / Math.max(ms, 1)) * 1000) : null;
}

/** Exit 0 only when both are equal; in a dry run when a copy would make them so. */
export function exitOf({ found, diverged }: Migration, dryRun: boolean): number {
  if (dryRun) return diverged === null ? EXIT.ok : EXIT.refused;
  return found.equal ? EXIT.ok : EXIT.refused;
}

export async function printMigration(context: Context, done: Migration, dryRun: boolean): Promise<void> {
  const { from, to, ledger, added, changed, removed, diverged, found, took, copying } = done;
  const copied = added + changed + removed;
  if (context.flags.json) {
    const report = reportJson(found, dryRun ? 0 : copied, took, copying);
    return printJson(context, { from, to, ledger, dry_run: dryRun, added, changed, removed, diverged, ...report });
  }
  await printRows(context, found.tables, TALLY_VIEW);
  sayDifferences(context, found, dryRun);
  say(context, dryRun ? `would ${brought("add", "change", "take out", done)}` : summary(done, copied));
  if (diverged !== null) sayDiverged(context, to, diverged);
  else if (!dryRun) say(context, found.equal ? "every row is equal" : "NOT equal: see above");
}

function sayDiverged(context: Context, to: string, since: number): void {
  context.warn(
    `${to} has gone on by itself since event ${since}, and so has the source: nothing was brought, for their changes would be mixed`,
  );
  context.warn(
    "decide which of the two goes on: copy the source into an empty ledger (another --to), or keep the target and make there again what only the source has, which `alai mc events --after N --db FILE` shows",
  );
}

function summary(done: Migration, copied: number): string {
  const speed = copied > 0 ? `, ${number(rate(copied, done.copying) ?? 0)} rows/s` : "";
  return `${brought("added", "changed", "took out", done)} in ${seconds(done.took)}${speed}`;
}

function brought(add: string, change: string, takeOut: string, done: Migration): string {
  return `${add} ${number(done.added)} rows, ${change} ${number(done.changed)}, ${takeOut} ${number(done.removed)}`;
}

export async function printExport(
  context: Context,
  done: { readonly file: string; readonly ledger: string; readonly found: Comparison; readonly took: Millis },
): Promise<void> {
  const { file, ledger, found, took } = done;
  const rows = found.tables.reduce((sum, table) => sum + table.target, 0);
  if (context.flags.json) return printJson(context, { file, ledger, ...reportJson(found, rows, took, took) });
  await printRows(context, found.tables, TALLY_VIEW);
  say(context, `${oneLine(file)}: every row is equal, ${number(rows)} rows in ${seconds(took)}`);
}

/** The dry run's differences are what is to be copied: only what will stay different is worth a name. */
function sayDifferences(context: Context, found: Comparison, dryRun: boolean): void {
  if (dryRun && found.own === null) return;
  for (const name of found.differences) context.warn(name);
  const all = found.tables.reduce((sum, t) => sum + t.missing + t.different + t.extra, 0);
  if (all > found.differences.length) context.warn(`and ${number(all - found.differences.length)} more`);
}

function say(context: Context, sentence: string): void {
  if (!context.flags.quiet) context.warn(sentence);
}

function seconds(ms: Millis): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
