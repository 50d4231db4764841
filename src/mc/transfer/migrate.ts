import { type DumpHead, type Millis, Refusal } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { type Bar, startBar } from "../../kit/bar.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { type Brought, rowsToBring } from "./carry.ts";
import { type Comparison, compare } from "./compare.ts";
import { inPieces, type Side, totalOf } from "./rows.ts";
import { openSource, type Source } from "./source.ts";
import { openTarget, type Target } from "./target.ts";

/** What became of a migration, or what would. */
export interface Migration extends Brought {
  readonly from: string;
  readonly to: string;
  readonly ledger: string;
  /** Every row of both sides, after the copy; before it in a dry run. */
  readonly found: Comparison;
  /** The number from which the target's journal is its own, so that nothing was brought; null when it is the source's. */
  readonly diverged: number | null;
  /** Of the whole, and of the copying alone. */
  readonly took: Millis;
  readonly copying: Millis;
}

/** Copies the ledger in `from` to `to`, or goes on with it, and compares every row afterwards. */
export async function migrate(context: Context, from: string, to: string, dryRun: boolean): Promise<Migration> {
  const start = monotonic();
  const source = await openSource(context, from);
  const target = await openTarget(context, to, from, dryRun);
  const head = { ...source.head, ledger: sharedId(source, target) };
  const side = (known: DumpHead): Side => ({ head: known, rows: () => target.ledger.dump() });
  const before = await inspect(context, "Reading", source, side(target.head));
  const brought: Brought = { added: 0, changed: 0, removed: 0 };
  // Where the source tells nothing that the target does not know, there is nothing to mix.
  const diverged = tellsMore(before) ? before.own : null;
  const copyStart = monotonic();
  if (diverged === null) await bring(context, { ...source, head }, target, { before, brought, dryRun });
  const copying = monotonic() - copyStart;
  const found =
    dryRun || diverged !== null
      ? before
      : await inspect(context, "Verifying", source, side(await target.ledger.dumpHead()));
  const took = monotonic() - start;
  return { from, to: target.name, ledger: head.ledger, ...brought, found, diverged, took, copying };
}

function tellsMore({ missing, tables }: Comparison): boolean {
  return missing.size > 0 || tables.some(({ table, different }) => table === "event" && different > 0);
}

/** The id both go by. Throws `constraint` for two ledgers. */
function sharedId({ head, firstId }: Source, target: Target): string {
  const there = target.head.ledger;
  if (there === head.ledger || there === firstId) return there;
  if (totalOf(target.head) === 0) return head.ledger;
  throw new Refusal(
    "constraint",
    `${target.name} has another ledger (${there}, ${target.head.rows.task} tasks) than the source (${head.ledger}): two are never mixed.`,
    { hint: "Copy into an empty ledger, or correct --from or --to." },
  );
}

async function inspect(context: Context, label: string, source: Side, target: Side): Promise<Comparison> {
  const bar = startBar(context, label, totalOf(source.head) + totalOf(target.head));
  try {
    return await compare(source, target, counting(context, bar));
  } finally {
    bar.end();
  }
}

interface Bringing {
  readonly before: Comparison;
  readonly brought: Brought;
  readonly dryRun: boolean;
}

async function bring(
  context: Context,
  source: Side,
  target: Target,
  { before, brought, dryRun }: Bringing,
): Promise<void> {
  const bar = startBar(context, "Copying", before.missing.size + before.changed.size);
  let done = 0;
  try {
    // Also when there is no row: an empty target takes the ledger's id, and one that is whole is told so.
    if (!dryRun) await target.ledger.restore(source.head, []);
    for await (const piece of inPieces(rowsToBring(source, before, brought))) {
      requireGoOn(context);
      if (!dryRun) await target.ledger.restore(source.head, piece);
      done += piece.length;
      bar.step(done);
    }
  } finally {
    bar.end();
  }
}

function counting(context: Context, bar: Bar): () => void {
  let rows = 0;
  return () => {
    rows += 1;
    if (rows % 256 !== 0) return;
    requireGoOn(context);
    bar.step(rows);
  };
}

function requireGoOn({ interrupted }: Context): void {
  if (interrupted.aborted)
    throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.", "Run it again: it goes on where it stopped.");
}
