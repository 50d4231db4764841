import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import type { DumpHead, DumpRow, Millis, Transferable } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { startBar } from "../../kit/bar.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine } from "../../kit/text.ts";
import { Comparer, type Comparison } from "./compare.ts";
import { inPieces, TABLES, totalOf } from "./rows.ts";

/** A new file with everything, and how it compares with what was read. */
export interface Exported {
  readonly file: string;
  readonly ledger: string;
  readonly head: DumpHead;
  readonly found: Comparison;
  readonly took: Millis;
}

/** Writes the whole ledger into a new SQLite file. Made aside and then named: a file that is there is left alone. */
export async function exportSqlite(context: Context, source: Transferable, file: string): Promise<Exported> {
  const start = monotonic();
  if (existsSync(file)) throw isThere(file);
  const aside = `${file}.${process.pid}.tmp`;
  try {
    const { head, found } = await copyWhole(context, source, aside);
    if (!found.equal)
      throw new Exit(
        EXIT.refused,
        "not_equal",
        `${oneLine(file)} was not made: the copy is not equal to the source.`,
        found.differences.join("; "),
      );
    name(aside, file);
    return { file, ledger: head.ledger, head, found, took: monotonic() - start };
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${aside}${end}`, { force: true });
  }
}

/**
 * Copies all rows of one moment into a new file and reads them again. The head of the copy is made from the rows themselves: a
 * server goes on between telling its head and its rows.
 */
export async function copyWhole(
  context: Context,
  source: Transferable,
  file: string,
): Promise<{ head: DumpHead; found: Comparison }> {
  const told = await source.dumpHead();
  const ledger = await SqliteLedger.open(file, { missing: "create" });
  const comparer = new Comparer();
  const bar = startBar(context, "Copying", totalOf(told));
  let head: DumpHead = { ...told, seq: 0, at: 0, rows: { task: 0, dependency: 0, evidence: 0, event: 0 } };
  let done = 0;
  try {
    for await (const piece of inPieces(source.dump())) {
      for (const row of piece) comparer.addSource(row);
      head = withRows(head, piece);
      // One more than there will be: not whole before all rows are there.
      await ledger.restore({ ...head, seq: Number.MAX_SAFE_INTEGER }, piece);
      done += piece.length;
      bar.step(done);
      requireGoOn(context);
    }
    await ledger.restore(head, []);
    for await (const row of ledger.dump()) comparer.addTarget(row, 0);
    return { head, found: comparer.result() };
  } finally {
    bar.end();
    ledger.close();
  }
}

function withRows(head: DumpHead, piece: readonly DumpRow[]): DumpHead {
  const rows = { ...head.rows };
  for (const table of TABLES) rows[table] += piece.filter((row) => row.table === table).length;
  const newest = piece.findLast((row) => row.table === "event");
  return newest ? { ...head, seq: newest.row.seq, at: newest.row.at, rows } : { ...head, rows };
}

function requireGoOn({ interrupted }: Context): void {
  if (interrupted.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted; no file was made.");
}

/** A link fails where a rename would overwrite; a file system without links gets the rename. */
function name(aside: string, file: string): void {
  try {
    linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" || existsSync(file)) throw isThere(file);
    renameSync(aside, file);
  }
}

function isThere(file: string): Error {
  return usage(`${oneLine(file)} is there already, and is not overwritten.`, "Name a file that does not exist.");
}
