import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Caller } from "@alai/core/ledger";
import { describe, expect, it, vi } from "vitest";
import { ledgers } from "./folder.ts";

const ann: Caller = { actor: "ann", session: "s1" };
const bob: Caller = { actor: "bob", session: "s1" };
const NOW = Date.UTC(2026, 4, 8, 12, 30);
const at = { clock: () => NOW };
const { open, withDb, backups } = ledgers();

/** A file as version 1 of the schema left it: written by the program of that time. */
function makeV1(name: "own" | "adopted"): string {
  const file = `${name}.db`;
  const sql = readFileSync(new URL(`fixtures/v1/${name}.sql`, import.meta.url), "utf8");
  withDb(file, (db) => db.exec(`PRAGMA journal_mode = WAL; ${sql}`));
  return file;
}

const meta = (file: string) =>
  withDb(file, (db) =>
    Object.fromEntries(
      db
        .prepare("SELECT key, value FROM alai_meta WHERE key <> 'columns'")
        .all()
        .map((row) => [row.key, row.value]),
    ),
  );

describe("a ledger of schema 1", () => {
  it("is migrated in place, after a copy of it was made, and decides as before", async () => {
    const file = makeV1("own");
    const rows = (name: string) =>
      withDb(name, (db) =>
        ["tasks", "alai_events", "alai_deps", "alai_evidence"].map((table) =>
          db.prepare(`SELECT * FROM ${table}`).all(),
        ),
      );
    const before = rows(file);
    const ledger = await open(file, at);
    expect(await ledger.stats()).toMatchObject({ schema: 2, total: 3, events: 7, held: 2 });
    expect(rows(file)).toEqual(before);
    expect(backups()).toHaveLength(1);
    expect(backups()[0]).toContain(".backup-v1-");
    expect(meta(`${backups()[0]}`)).toEqual({ schema: "1" });
    expect(rows(`${backups()[0]}`)).toEqual(before);
    await expect(ledger.edit([1], { title: "x" }, bob)).rejects.toMatchObject({ code: "held" });
    await expect(ledger.edit([2], { title: "x" }, ann)).rejects.toMatchObject({ code: "fenced" });
    expect(await ledger.claim([1], ann, 1000)).toMatchObject([{ idempotent: true, fence: 1 }]);
    expect(await ledger.events({ after: 0 })).toHaveLength(8);
    expect(await ledger.prune(NOW + 1, ann)).toMatchObject({ dropped: 3 });
    const keyed = { ...ann, request: { key: "k", fingerprint: "f" } };
    expect(await ledger.add([{ title: "once" }], keyed)).toEqual(await ledger.add([{ title: "once" }], keyed));
  });

  it("that was adopted is migrated in place too, its columns as they are", async () => {
    const file = makeV1("adopted");
    const columns = withDb(file, (db) => db.prepare("PRAGMA table_xinfo(tasks)").all());
    const ledger = await open(file, at);
    expect(withDb(file, (db) => db.prepare("PRAGMA table_xinfo(tasks)").all())).toEqual(columns);
    expect(backups()).toHaveLength(1);
    await ledger.edit([1], { priority: 0 }, ann);
    const [task] = await ledger.get([1]);
    expect(task).toMatchObject({ status_raw: "todo", priority: 0, version: 2, extra: { version: "v1.2" }, fence: 1 });
  });

  it("gets an id of its own, once", async () => {
    const [own, adopted] = [makeV1("own"), makeV1("adopted")];
    const ids = new Set<string>();
    for (const file of [own, own, adopted, "new.db"]) ids.add((await (await open(file, at)).stats()).ledger);
    expect(ids.size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(meta(own)).toEqual({ schema: "2", pruned: "0", ledger: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(Object.keys(meta("new.db"))).toEqual(Object.keys(meta(own)));
    expect(backups()).toHaveLength(2);
  });

  it("has the tables and indexes of a new one afterwards", async () => {
    const schema = (file: string) =>
      withDb(file, (db) => db.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all());
    await open(makeV1("own"), at);
    await open("new.db", at);
    expect(schema("own.db")).toEqual(schema("new.db"));
  });
});

describe("a start", () => {
  it("asks SQLite no more than it must to answer claim-status and list", async () => {
    await (await open("a.db", at)).add([{ title: "x" }], ann);
    const statements: string[] = [];
    const spies = (["prepare", "exec"] as const).map((method) => {
      const real = DatabaseSync.prototype[method] as (sql: string) => never;
      return vi.spyOn(DatabaseSync.prototype, method).mockImplementation(function (this: DatabaseSync, sql: string) {
        statements.push(sql.split(" ").slice(0, 2).join(" "));
        return real.call(this, sql);
      });
    });
    try {
      for (const call of ["status", "list"]) {
        statements.length = 0;
        const ledger = await open("a.db", at);
        await (call === "list" ? ledger.list({ limit: 10 }) : ledger.leaseStatus([1], ann));
        const said = [...statements];
        const select = said.pop() && said.pop();
        expect(said).toEqual(["PRAGMA synchronous", "SELECT key,", "BEGIN", "SELECT seq,"]);
        expect(select).toMatch(/^SELECT t\./);
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });
});
