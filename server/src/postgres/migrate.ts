import { StoreError } from "@alai/core";
import type { Database } from "./database.ts";
import type { Session } from "./session.ts";
import { MIGRATIONS, SQL } from "./sql.ts";
import type { Row } from "./types.ts";

/** One step of the schema. Never changed once released. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  /** A program that does not know it must not use the database. */
  readonly breaking: boolean;
  readonly text: string;
}

/** The version this program brings a database to. */
export const LATEST = MIGRATIONS.at(-1)?.version ?? 0;

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
}

/**
 * Brings the schema up to date, each step in a transaction of its own. Safe when many programs start at once: one migrates,
 * the others wait and find it done. Throws `too_new`, or `not_a_ledger` when a step is not the one this program has.
 */
export async function migrate(database: Database, known: readonly Migration[] = MIGRATIONS): Promise<void> {
  while (!(await isCurrent(database, known)))
    await database.write((session) => applyNext(session, known), { repeatable: true });
}

/** True when every step that this program knows was made. Throws as `migrate` does. */
export async function isCurrent(database: Database, known: readonly Migration[] = MIGRATIONS): Promise<boolean> {
  const applied = await database.read(readApplied);
  return nextOf(known, applied) === undefined;
}

async function readApplied(session: Session): Promise<readonly Applied[]> {
  const [there] = await session.rows({ text: "SELECT to_regclass('alai.migrations') IS NOT NULL AS there" });
  return there?.there ? session.rows<Applied>(SQL.readMigrations) : [];
}

async function applyNext(session: Session, known: readonly Migration[]): Promise<void> {
  session.send(SQL.lockMigrations);
  session.sendText("SET LOCAL statement_timeout = 0");
  session.sendText("CREATE SCHEMA IF NOT EXISTS alai");
  session.send(SQL.migrationsTable);
  const next = nextOf(known, await session.rows<Applied & Row>(SQL.readMigrations));
  if (!next) return;
  session.sendText(next.text);
  session.send(SQL.recordMigration, next.version, next.name, next.checksum, next.breaking);
}

/** The first step that is due. */
function nextOf(known: readonly Migration[], applied: readonly Applied[]): Migration | undefined {
  for (const made of applied) check(known, made);
  return known.find(({ version }) => !applied.some((made) => made.version === version));
}

function check(known: readonly Migration[], made: Applied): void {
  const ours = known.find(({ version }) => version === made.version);
  if (ours?.checksum === made.checksum) return;
  if (ours)
    throw new StoreError(
      "not_a_ledger",
      `Step ${made.version} of this database's schema (${made.name}) is not the one that this alai knows.`,
      "Was it made by a version that was never released? Nothing was changed.",
    );
  if (!made.breaking) return;
  throw new StoreError(
    "too_new",
    `This database's schema has step ${made.version} (${made.name}), which this alai does not know.`,
    "Update alai on this server and try again; nothing was changed.",
  );
}
