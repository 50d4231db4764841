import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, printRows, type View } from "../../kit/output.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Left } from "./left-behind.ts";
import type { Migration, Named, Tally } from "./report.ts";
import type { Rollback } from "./rollback.ts";

/** Fields of `--json`. */
export const SECRETS_MIGRATION_FIELDS = {
  from: "the source's address",
  to: "the destination's address",
  source: "what the source says it is: name and version",
  destination: "what the destination says it is: name and version",
  dry_run: "nothing was changed",
  rollback: "what was added was taken back",
  items: "items added; with --dry-run: to be added; with --rollback: put into the trash",
  files: "attachments, likewise",
  folders: "folders, likewise",
  equal: "every item, file and folder of the source is in the destination",
  tallies: "by type and by folder: items in the source, in the destination, the same",
  differences: "what is not there as it is in the source: name, type, folder, problem, what, why; never a value",
  extra: "items that only the destination has",
  left: "what cannot be moved: what, count, why, names; never a value",
  kept: "with --rollback: what was added and stays, because it was changed since",
  gone: "with --rollback: what was gone already",
  backup: "the encrypted export of the source",
  journal: "the file that --rollback reads",
  seconds: "how long it took",
} as const;

const number = (value: number) => value.toLocaleString("en");

const TALLIES: View<Tally> = {
  columns: [
    { header: "BY", value: ({ by }) => by },
    { header: "NAME", value: ({ name }) => name, flexible: true },
    ...(["source", "destination", "same"] as const).map((name) => ({
      header: name.toUpperCase(),
      value: (row: Tally) => String(row[name]),
      show: (row: Tally) => number(row[name]),
      right: true,
    })),
  ],
  json: (row) => ({ ...row }),
};

/** Exit 0 only when all of the source is in the destination; a dry run only looks. */
export function exitOfMigration({ equal, dryRun }: Migration): number {
  return equal || dryRun ? EXIT.ok : EXIT.refused;
}

export async function printSecretsMigration(context: Context, done: Migration): Promise<void> {
  const { dryRun, took, ...rest } = done;
  if (context.flags.json) {
    const none = { rollback: false, kept: [], gone: 0 };
    return printJson(context, { ...rest, dry_run: dryRun, ...none, seconds: Math.round(took) / 1000 });
  }
  await printRows(context, done.tallies, TALLIES);
  if (context.flags.quiet) return;
  // Before the bringing everything is a difference.
  if (!dryRun) for (const one of done.differences) context.warn(sentence(one));
  for (const one of done.left) say(context, staying(one));
  if (done.extra > 0) say(context, `only in the destination, and left as they are: ${number(done.extra)} items`);
  if (done.backup !== null) say(context, `an encrypted export of the source is in ${oneLine(done.backup)}`);
  say(context, summary(done));
}

/** So many are named in a line; `--json` has them all. */
const MOST_NAMES = 10;

function staying({ what, count, why, names }: Left): string {
  const quoted = names.slice(0, MOST_NAMES).map((name) => `"${truncate(oneLine(name), 80)}"`);
  const more = names.length > MOST_NAMES ? ` and ${number(names.length - MOST_NAMES)} more (--json names them)` : "";
  return `not moved: ${number(count)} ${what}: ${why}${quoted.length > 0 ? `: ${quoted.join(", ")}${more}` : ""}`;
}

function summary(done: Migration): string {
  const what = `${number(done.items)} items, ${number(done.files)} files and ${number(done.folders)} folders`;
  if (done.dryRun) return `would add ${what}; nothing was changed`;
  const end = done.equal
    ? "every item is equal"
    : `NOT equal: ${number(done.differences.length)} differences, see above`;
  return `added ${what} in ${(done.took / 1000).toFixed(1)} s; ${end}`;
}

/** Names only: a value never leaves the vaults. */
function sentence({ name, type, folder, problem, what, why }: Named): string {
  const where = folder === null ? "" : ` in ${folder}`;
  const fields = what.length > 0 ? `: ${what.join(", ")}` : "";
  return `${problem}: ${type} "${truncate(oneLine(name), 80)}"${where}${fields}${why === null ? "" : ` (${why})`}`;
}

export function exitOfRollback({ kept }: Rollback): number {
  return kept.length === 0 ? EXIT.ok : EXIT.refused;
}

export function printRollback(context: Context, done: Rollback): void {
  const { dryRun, items, files, folders, gone, kept, from, to } = done;
  if (context.flags.json) {
    const none = { equal: null, tallies: [], differences: [], extra: null, left: [], backup: null, journal: null };
    const counts = { items, files, folders, gone, kept };
    const none2 = { source: null, destination: null, seconds: null };
    printJson(context, { from, to, dry_run: dryRun, rollback: true, ...counts, ...none, ...none2 });
    return;
  }
  for (const { name, type, folder, why } of kept)
    context.warn(`kept: ${type} "${truncate(oneLine(name), 80)}"${folder === null ? "" : ` in ${folder}`}: ${why}`);
  const what = `${number(items)} items, ${number(files)} files and ${number(folders)} folders`;
  const before = gone > 0 ? `; ${number(gone)} items were gone already` : "";
  if (dryRun) say(context, `would take back ${what}${before}; nothing was changed`);
  else say(context, `took back ${what}${before}; items stay in the destination's trash for 30 days`);
}

function say(context: Context, sentence: string): void {
  if (!context.flags.quiet) context.io.err(`${oneLine(sentence)}\n`);
}
