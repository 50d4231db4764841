import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "@alai/core";
import { quoteText } from "@alai/core/sqlite/columns";
import { fromSqlite } from "@alai/core/sqlite/errors";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { readMeta } from "@alai/core/sqlite/migrate";
import { checkFile, connect } from "@alai/core/sqlite/open";
import { DEFAULT_BUSY_LIMIT, retryBusy } from "@alai/core/sqlite/retry";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { oneLine } from "../../kit/text.ts";
import type { Side } from "./rows.ts";

/** A ledger file to copy from: one moment of it. */
export interface Source extends Side {
  /** The id that the ledger is known by where it was copied from while it had none of its own (schema 1). */
  readonly firstId: string | null;
}

/**
 * Opens a ledger file read-only and takes a copy of this moment aside, from which everything is read: the file is locked as
 * briefly as can be, both readings see the same, and one of an older schema can be read as it is. Nothing is written to it; a
 * file with WAL may get an empty `-wal` beside it, as from any reader. Throws a usage error where there is no file, and
 * StoreError, `not_adopted` with what to type.
 */
export async function openSource(context: Context, file: string): Promise<Source> {
  if (!checkFile(file)) throw usage(`There is no ledger ${oneLine(file)}.`, "Correct the path of --from.");
  const aside = join(makeFolder(context), "source.db");
  const { firstId, schema } = await freeze(file, aside);
  const ledger = await openAside(context, file, aside);
  const head = await ledger.dumpHead();
  const id = schema === 1 && firstId !== null ? firstId : head.ledger;
  return { head: { ...head, ledger: id }, firstId, rows: () => ledger.dump() };
}

/** A folder of this process alone; those of processes that were killed are cleared away. */
function makeFolder(context: Context): string {
  const all = join(context.paths.cache, "transfer");
  mkdirSync(all, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(all))
    if (!isAlive(Number.parseInt(name, 10))) rmSync(join(all, name), { recursive: true, force: true });
  const folder = mkdtempSync(join(all, `${process.pid}-`));
  context.onExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function freeze(file: string, aside: string): Promise<{ schema: number | null; firstId: string | null }> {
  try {
    const db = await connect(file, DEFAULT_BUSY_LIMIT, true);
    try {
      const meta = await retryBusy(() => readMeta(db), DEFAULT_BUSY_LIMIT);
      if (!meta && !hasTasks(db))
        throw new StoreError(
          "not_a_ledger",
          `${file} has no tasks table; it is no ledger.`,
          "Name another with --from.",
        );
      await retryBusy(() => db.exec(`VACUUM INTO ${quoteText(aside)}`), DEFAULT_BUSY_LIMIT);
      return { schema: meta?.schema ?? null, firstId: meta && firstIdOf(db) };
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}

function hasTasks(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").get() !== undefined;
}

/** Made from the first line of the journal, which stays what it is: a file of schema 1 has no id. */
function firstIdOf(db: DatabaseSync): string | null {
  const first = db.prepare("SELECT task_id, kind, at, actor, session, data FROM alai_events WHERE seq = 1").get();
  if (!first) return null;
  return createHash("sha256").update(JSON.stringify(first)).digest("hex").slice(0, 32);
}

async function openAside(context: Context, file: string, aside: string): Promise<SqliteLedger> {
  try {
    const ledger = await SqliteLedger.open(aside, { missing: "fail" });
    context.onExit(() => ledger.close());
    return ledger;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const named = (text: string) => text.replaceAll(aside, () => file);
    throw new StoreError(error.code, named(error.message), error.hint && named(error.hint), error);
  }
}
