import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../refusal.ts";
import { fromSqlite } from "./errors.ts";
import { createLedger, type FileMeta, LATEST, migrate, readMeta } from "./migrate.ts";
import { DEFAULT_BUSY_LIMIT, retryBusy } from "./retry.ts";
import { requireSafeSqlite } from "./safety.ts";
import { type Failpoint, Store } from "./store.ts";

export interface OpenOptions {
  /** What to do when there is no such file: make a ledger, stand in with an empty one in memory, or throw `unavailable`. */
  readonly missing: "create" | "empty" | "fail";
  readonly clock?: () => number;
  /** Milliseconds to wait for a lock. */
  readonly busyLimit?: number;
  readonly failpoint?: (point: Failpoint) => void;
  /** This runtime's SQLite, for tests of the gate. */
  readonly sqliteVersion?: string;
}

/**
 * Opens a ledger file for use; an older one is backed up and migrated.
 * Throws StoreError: `not_adopted` (another program's tasks table), `not_a_ledger`, `corrupt`, `locked`, `too_new`, …
 */
export async function openStore(file: string, options: OpenOptions): Promise<Store> {
  requireSafeSqlite(options.sqliteVersion ?? sqliteVersion());
  const busyLimit = options.busyLimit ?? DEFAULT_BUSY_LIMIT;
  try {
    const exists = checkFile(file);
    if (!exists && options.missing === "fail")
      throw new StoreError(
        "unavailable",
        `There is no ledger ${file}.`,
        "Type `alai mc add` to make one, or name another with --db FILE.",
      );
    const path = exists || options.missing === "create" ? file : ":memory:";
    if (!exists && path === file) makeFile(file);
    const db = await connect(path, busyLimit);
    try {
      const { columns, whole, mirror } = await prepare(db, file, busyLimit);
      return new Store(db, columns, {
        file,
        whole,
        mirror,
        clock: options.clock ?? Date.now,
        busyLimit,
        failpoint: options.failpoint ?? (() => {}),
      });
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw fromFileSystem(fromSqlite(error, file), file);
  }
}

/** For its owner only: a server's ledger has digests of tokens, and the audit. SQLite gives the files beside it the same mode. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch {
    // Another process was first, or the folder is not as it should be: SQLite says that better.
  }
}

/** A connection as every writer of a ledger needs it: durable commits, our own retry, no rules the file's owner did not enforce. */
export async function connect(file: string, busyLimit: number, readOnly = false): Promise<DatabaseSync> {
  const db = new DatabaseSync(file, { readOnly, timeout: 0, enableForeignKeyConstraints: false });
  try {
    // FULL: an acknowledged claim survives a power cut. NORMAL may forget the last commits of a WAL file.
    // It reads the schema, so it meets another's exclusive lock like any other statement.
    await retryBusy(() => db.exec("PRAGMA synchronous = FULL"), busyLimit);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Asked before the file is opened, which would make it; bun does not list SQLite among its versions. */
export function sqliteVersion(): string {
  if (process.versions.sqlite) return process.versions.sqlite;
  const db = new DatabaseSync(":memory:");
  try {
    return String((db.prepare("SELECT sqlite_version() AS v").get() as { v: string }).v);
  } finally {
    db.close();
  }
}

/** True when the file is there. Throws for a folder, a pipe or a device: opening those can hang. */
export function checkFile(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat && !stat.isFile())
    throw new StoreError("unavailable", `${file} is not a regular file.`, "Name an SQLite file with --db FILE.");
  return stat !== undefined;
}

async function prepare(db: DatabaseSync, file: string, busyLimit: number): Promise<FileMeta> {
  let meta = await retryBusy(() => readMeta(db), busyLimit);
  if (meta === null) {
    await requireEmpty(db, file, busyLimit);
    await createLedger(db, busyLimit);
    meta = readMeta(db);
  } else if (meta.schema !== LATEST) {
    await migrate(db, file, busyLimit);
  }
  if (meta === null) throw new StoreError("corrupt", `${file} lost its schema while it was opened.`);
  return meta;
}

/** A file without our tables may only be made a ledger when nothing else is in it. */
async function requireEmpty(db: DatabaseSync, file: string, busyLimit: number): Promise<void> {
  const tables = await retryBusy(
    () =>
      db
        .prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
        .all() as { name: string }[],
    busyLimit,
  );
  const names = tables.map((table) => table.name);
  if (names.length === 0 || names.includes("alai_meta")) return;
  if (names.includes("tasks"))
    throw new StoreError(
      "not_adopted",
      `${file} has a tasks table made by another program and is not adopted yet.`,
      `Type \`alai mc adopt ${file} --dry-run\` to see what would be added, then \`alai mc adopt ${file} --yes\`.`,
    );
  throw new StoreError(
    "not_a_ledger",
    `${file} is an SQLite file without a tasks table; it is no ledger.`,
    "Name another with --db FILE.",
  );
}

function fromFileSystem(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const { code } = error;
  if (code === "ENOSPC")
    return new StoreError("disk_full", `The disk for ${file} is full.`, "Free some space and try again.", error);
  if (["EACCES", "EPERM", "EROFS"].includes(code))
    return new StoreError(
      "read_only",
      `${file} cannot be reached: ${code}.`,
      "Check its permissions, or name another with --db FILE.",
      error,
    );
  if (["ENOTDIR", "ENOENT", "EEXIST", "ELOOP", "ENAMETOOLONG", "EIO"].includes(code))
    return new StoreError(
      "unavailable",
      `${file} cannot be opened: ${code}.`,
      "Check the path, or name another with --db FILE.",
      error,
    );
  return error;
}
