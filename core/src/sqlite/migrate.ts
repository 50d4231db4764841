import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../refusal.ts";
import { backUp } from "./backup.ts";
import { type ColumnMap, OWN_COLUMNS } from "./columns.ts";
import { retryBusy } from "./retry.ts";
import { createBesideSql, createTasksSql, REQUESTS_SQL } from "./schema.ts";

/** One step of the schema. Run in a transaction together with all others that are due; never changed once released. */
export interface Migration {
  readonly version: number;
  readonly up: (db: DatabaseSync, columns: ColumnMap) => void;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up(db, columns) {
      for (const sql of createBesideSql(columns)) db.exec(sql);
    },
  },
  {
    version: 2,
    up(db) {
      for (const sql of REQUESTS_SQL) db.exec(sql);
      // The ledger's own id comes from SQLite: node:crypto takes its time to load, and every start would pay for it.
      db.exec("INSERT INTO alai_meta (key, value) VALUES ('ledger', lower(hex(randomblob(16)))), ('pruned', '0')");
    },
  },
];

/** The version this program writes. */
export const LATEST = latest(MIGRATIONS);

function latest(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}

/** Runs the steps above `from`, and records the version. The caller holds the write lock. */
export function applyMigrations(
  db: DatabaseSync,
  columns: ColumnMap,
  from: number,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  for (const migration of migrations) if (migration.version > from) migration.up(db, columns);
  const set = db.prepare(
    "INSERT INTO alai_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  set.run("schema", String(latest(migrations)));
  if (from > 0) return;
  set.run("columns", JSON.stringify(columns));
}

/** Makes an empty file a ledger. Safe when many processes do it at once: one does, the others find it done. */
export async function createLedger(db: DatabaseSync, busyLimit: number): Promise<void> {
  // Switching to WAL needs the lock too, and meets it when sixteen processes are born at one moment.
  await retryBusy(() => db.exec("PRAGMA journal_mode = WAL"), busyLimit);
  await retryBusy(() => db.exec("BEGIN IMMEDIATE"), busyLimit);
  try {
    if (readMeta(db) === null) {
      db.exec(createTasksSql());
      applyMigrations(db, OWN_COLUMNS, 0);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** What must be known of a file before anything can be asked of it. */
export interface FileMeta {
  readonly schema: number;
  readonly columns: ColumnMap;
  /** False for a copy with rows still to come. */
  readonly whole: boolean;
  /** What this is a mirror of, as `MirrorMark` in JSON; null for a ledger of its own. */
  readonly mirror: string | null;
}

/** What `alai_meta` says, or null when the file has none. */
export function readMeta(db: DatabaseSync): FileMeta | null {
  try {
    const rows = db.prepare("SELECT key, value FROM alai_meta").all() as { key: string; value: string }[];
    const meta = new Map(rows.map((row) => [row.key, row.value]));
    const columns = meta.get("columns");
    return {
      schema: Number(meta.get("schema")),
      columns: columns ? JSON.parse(columns) : OWN_COLUMNS,
      whole: !meta.has("restoring"),
      mirror: meta.get("mirror") ?? null,
    };
  } catch (error) {
    if (error instanceof Error && /no such table/.test(error.message)) return null;
    throw error;
  }
}

/**
 * Brings an older ledger up to date: a backup beside it first, then every due step in one transaction.
 * Throws `too_new` for a file that a later alai made.
 */
export async function migrate(
  db: DatabaseSync,
  file: string,
  busyLimit: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const target = latest(migrations);
  const found = readMeta(db)?.schema ?? 0;
  if (found === target) return;
  if (!(found >= 1 && found < target))
    throw new StoreError(
      "too_new",
      `The ledger ${file} has schema ${found}; this alai knows up to ${target}.`,
      "Update alai (npm i -g @alai/cli, or brew upgrade alai) and try again; the file was not touched.",
    );
  await retryBusy(() => db.exec("BEGIN IMMEDIATE"), busyLimit);
  try {
    const meta = readMeta(db);
    if (meta && meta.schema < target) {
      backUp(file, `v${meta.schema}`);
      applyMigrations(db, meta.columns, meta.schema, migrations);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
