import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@alai/core";
import { describe, expect, it } from "vitest";
import { SCHEMA_FILE, schemaOf } from "../../../packaging/schema.ts";
import { sqlModule } from "../../../packaging/sql.ts";
import { DEFAULT_LIMITS, openPool } from "../../../server/src/postgres/connect.ts";
import { Database } from "../../../server/src/postgres/database.ts";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { isCurrent, type Migration, migrate } from "../../../server/src/postgres/migrate.ts";
import { MIGRATIONS } from "../../../server/src/postgres/sql.ts";
import { createDatabase, query } from "./database.ts";

const EMPTY = "template0";
const ann = { actor: "ann", session: "s1" };

/** Runs `test` on an empty database, or on a copy of the migrated one. */
function on(template: string | undefined, test: (url: string) => Promise<void>) {
  return async () => {
    const { url, drop } = await createDatabase(template);
    try {
      await test(url);
    } finally {
      await drop();
    }
  };
}

async function withDatabase<T>(url: string, body: (database: Database) => Promise<T>): Promise<T> {
  const database = new Database(openPool(url, { ...DEFAULT_LIMITS, connections: 2 }), "test");
  try {
    return await body(database);
  } finally {
    await database.pool.end();
  }
}

const step = (version: number, text: string, breaking = false): Migration => ({
  version,
  name: `${version}`,
  checksum: text,
  breaking,
  text,
});

describe("what is built in", () => {
  it("is what server/sql says", () => {
    const built = readFileSync(join(import.meta.dirname, "../../../server/src/postgres/sql.ts"), "utf8");
    expect(built, "run `npm run sql`").toBe(sqlModule());
  });

  it(
    "comes to server/sql/schema.sql",
    on(EMPTY, async (url) => {
      await withDatabase(url, (database) => migrate(database));
      expect(await schemaOf(url), "run `npm run schema`").toBe(readFileSync(SCHEMA_FILE, "utf8"));
    }),
  );

  it("has versions that rise by one", () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });
});

describe("migrations", () => {
  it(
    "are made once, however many begin at once",
    on(EMPTY, async (url) => {
      const ledgers = await Promise.all(
        Array.from({ length: 20 }, () => PostgresLedger.open(url, { connections: 1, notify: false })),
      );
      const { rows } = await query(url, "SELECT version FROM alai.migrations ORDER BY version");
      expect(rows.map(({ version }) => version)).toEqual(MIGRATIONS.map(({ version }) => version));
      const added = await Promise.all(ledgers.map((ledger, i) => ledger.add([{ title: `${i}` }], ann)));
      expect(new Set(added.flat().map(({ task }) => task.id)).size).toBe(20);
      await Promise.all(ledgers.map((ledger) => ledger.closed()));
    }),
  );

  it(
    "are made whole or not at all, and go on from where they stopped",
    on(EMPTY, async (url) => {
      const good = step(1, "CREATE TABLE alai.a (id int)");
      const bad = step(2, "CREATE TABLE alai.b (id int); SELECT 1 / 0;");
      await withDatabase(url, async (database) => {
        await expect(migrate(database, [good, bad])).rejects.toThrow("division by zero");
        const tables = await query(url, "SELECT relname FROM pg_class WHERE relname IN ('a', 'b')");
        expect(tables.rows).toEqual([{ relname: "a" }]);
        expect(await isCurrent(database, [good])).toBe(true);
        await migrate(database, [good, step(2, "CREATE TABLE alai.b (id int)")]);
        expect(await isCurrent(database, [good, step(2, "CREATE TABLE alai.b (id int)")])).toBe(true);
      });
    }),
  );

  it(
    "of a newer program are no obstacle, unless one is marked as breaking",
    on(undefined, async (url) => {
      const add = (version: number, breaking: boolean) =>
        query(url, "INSERT INTO alai.migrations (version, name, checksum, breaking) VALUES ($1, 'later', 'x', $2)", [
          version,
          breaking,
        ]);
      await add(900, false);
      const ledger = await PostgresLedger.open(url, { notify: false });
      expect(await ledger.ready()).toBe(true);
      await ledger.add([{ title: "x" }], ann);
      await add(901, true);
      await expect(ledger.ready()).rejects.toMatchObject({ code: "too_new" });
      await ledger.closed();
      const refused = PostgresLedger.open(url, { notify: false });
      await expect(refused).rejects.toBeInstanceOf(StoreError);
      await expect(refused).rejects.toMatchObject({ code: "too_new" });
    }),
  );

  it(
    "that are not the ones this program knows are refused",
    on(undefined, async (url) => {
      await query(url, "UPDATE alai.migrations SET checksum = 'other' WHERE version = 1");
      await expect(PostgresLedger.open(url)).rejects.toMatchObject({ code: "not_a_ledger" });
    }),
  );

  it(
    "that are due make a server unready",
    on(undefined, async (url) => {
      const next = step(MIGRATIONS.length + 1, "SELECT 1");
      await withDatabase(url, async (database) => {
        expect(await isCurrent(database, [...MIGRATIONS, next])).toBe(false);
        await migrate(database, [...MIGRATIONS, next]);
        expect(await isCurrent(database, [...MIGRATIONS, next])).toBe(true);
      });
    }),
  );
});
