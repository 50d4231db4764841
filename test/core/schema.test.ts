import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import type { Caller } from "@alai/core/ledger";
import { backUp } from "@alai/core/sqlite/backup";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { LATEST, MIGRATIONS, type Migration, migrate } from "@alai/core/sqlite/migrate";
import { type OpenOptions, openStore } from "@alai/core/sqlite/open";
import { isSafeForWal } from "@alai/core/sqlite/safety";
import { beforeEach, describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";
import { sha256 } from "./foreign.ts";

const me: Caller = { actor: "ann", session: "s1" };
const bob: Caller = { actor: "bob", session: "s1" };
const NODE = "node_modules/.bin/node";

let file: string;
const temp = ledgers();
const { backups, withDb } = temp;
beforeEach(() => {
  file = temp.path("mission-control.db");
});

function open(options: Partial<OpenOptions> = {}): Promise<SqliteLedger> {
  return temp.open(file, options);
}

function integrity(path = file): unknown {
  return withDb(path, (db) => db.prepare("PRAGMA integrity_check").get()?.integrity_check);
}

describe("opening", () => {
  it("makes a ledger, and its folder, where there is none", async () => {
    file = temp.path("new/folder/mission-control.db");
    const ledger = await open();
    await ledger.add([{ title: "first" }], me);
    expect(withDb(file, (db) => db.prepare("PRAGMA journal_mode").get())).toEqual({ journal_mode: "wal" });
  });

  it("commits durably: a power cut forgets no acknowledged claim", async () => {
    const store = await openStore(file, { missing: "create" });
    expect(store.get("PRAGMA synchronous")).toEqual({ synchronous: 2n });
    store.close();
  });

  it.skipIf(process.platform === "win32")(
    "makes a file for its owner only; one that is there keeps its mode",
    async () => {
      const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
      await (await open()).add([{ title: "first" }], me);
      for (const end of ["", "-wal", "-shm"]) expect([end, modeOf(file + end)]).toEqual([end, "600"]);
      file = temp.path("shared.db");
      writeFileSync(file, "");
      chmodSync(file, 0o640);
      await (await open()).add([{ title: "first" }], me);
      expect(modeOf(file)).toBe("640");
      expect(modeOf(backUp(file, "test"))).toBe("640");
      chmodSync(file, 0o600);
      expect(modeOf(backUp(file, "test"))).toBe("600");
    },
  );

  it("stands in with an empty one when asked to, and makes nothing", async () => {
    expect(await (await open({ missing: "empty" })).stats()).toMatchObject({ total: 0 });
    expect(existsSync(file)).toBe(false);
  });

  it("refuses a folder in the file's place, and a path through a file", async () => {
    mkdirSync(file);
    await expect(open()).rejects.toMatchObject({ code: "unavailable" });
    const ledger = await SqliteLedger.open(temp.path("a.db"), { missing: "create" });
    ledger.close();
    file = temp.path("a.db/b.db");
    await expect(open()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("refuses an SQLite file that is something else, untouched", async () => {
    withDb(file, (db) => db.exec("CREATE TABLE other (a)"));
    const before = sha256(file);
    await expect(open()).rejects.toMatchObject({ code: "not_a_ledger" });
    expect(sha256(file)).toBe(before);
  });

  it("sixteen processes at the same moment make one ledger", { timeout: 300_000 }, async () => {
    const start = String(Date.now() + 700);
    const run = promisify(execFile);
    const runs = Array.from({ length: 16 }, (_, i) => run(NODE, ["test/core/fixtures/open.ts", file, start, `p${i}`]));
    const ids = (await Promise.all(runs)).map(({ stdout }) => Number(stdout)).toSorted((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    const ledger = await open();
    expect(await ledger.stats()).toMatchObject({ total: 16, events: 16 });
    expect(backups()).toEqual([]);
  });
});

describe("migrating", () => {
  const second: Migration = {
    version: LATEST + 1,
    up: (db) => db.exec("ALTER TABLE alai_events ADD COLUMN host TEXT"),
  };
  const migrations = [...MIGRATIONS, second];
  const schemaOf = (path: string) =>
    withDb(path, (db) => db.prepare("SELECT value FROM alai_meta WHERE key = 'schema'").get()?.value);

  async function filled(): Promise<void> {
    const ledger = await open();
    await ledger.add([{ title: "kept" }], me);
    ledger.close();
  }

  it("copies the file beside itself first, as it was", async () => {
    await filled();
    const db = new DatabaseSync(file);
    await migrate(db, file, 1000, migrations);
    await migrate(db, file, 1000, migrations);
    db.close();
    expect(schemaOf(file)).toBe(String(LATEST + 1));
    expect(backups()).toHaveLength(1);
    const copy = temp.path(backups()[0] ?? "");
    expect(schemaOf(copy)).toBe(String(LATEST));
    expect(withDb(copy, (copied) => copied.prepare("SELECT title FROM tasks").all())).toEqual([{ title: "kept" }]);
    expect(integrity(copy)).toBe("ok");
  });

  it("that fails changes nothing", async () => {
    await filled();
    const broken: Migration = {
      version: LATEST + 2,
      up: () => {
        throw new Error("broken step");
      },
    };
    const db = new DatabaseSync(file);
    await expect(migrate(db, file, 1000, [...migrations, broken])).rejects.toThrow("broken step");
    db.close();
    expect(schemaOf(file)).toBe(String(LATEST));
    expect(await (await open()).stats()).toMatchObject({ total: 1 });
  });

  it("without a copy does not happen", async () => {
    await filled();
    const db = new DatabaseSync(file);
    await expect(migrate(db, temp.path("no/such.db"), 1000, migrations)).rejects.toThrow();
    db.close();
    expect(schemaOf(file)).toBe(String(LATEST));
  });

  it("at the same moment by many connections happens once", async () => {
    await filled();
    const dbs = Array.from({ length: 5 }, () => new DatabaseSync(file, { timeout: 0 }));
    await Promise.all(dbs.map((db) => migrate(db, file, 5000, migrations)));
    for (const db of dbs) db.close();
    expect(backups()).toHaveLength(1);
    expect(schemaOf(file)).toBe(String(LATEST + 1));
  });

  it("does not touch a file that a later alai made", async () => {
    await filled();
    withDb(file, (db) => db.exec("UPDATE alai_meta SET value = '99' WHERE key = 'schema'"));
    const before = sha256(file);
    await expect(open()).rejects.toMatchObject({ name: "StoreError", code: "too_new" });
    expect(sha256(file)).toBe(before);
    expect(backups()).toEqual([]);
  });
});

describe("SQLite versions", () => {
  it.each([
    ["3.44.5", false],
    ["3.44.6", true],
    ["3.45.0", false],
    ["3.49.9", false],
    ["3.50.6", false],
    ["3.50.7", true],
    ["3.51.0", false],
    ["3.51.2", false],
    ["3.51.3", true],
    ["3.52.0", true],
    ["3.53.4", true],
    ["4.0.0", true],
    ["3.7.17", false],
    ["", false],
  ])("%s: safe is %s", async (version, safe) => {
    expect(isSafeForWal(version)).toBe(safe);
    const outcome = openStore(file, { missing: "create", sqliteVersion: version });
    if (safe) (await outcome).close();
    else {
      await expect(outcome).rejects.toMatchObject({ name: "StoreError", code: "unsafe_sqlite" });
      expect(existsSync(file)).toBe(false);
    }
  });

  it("this runtime's is safe", () => {
    expect(isSafeForWal(process.versions.sqlite ?? "")).toBe(true);
  });
});

describe("the queries people already run", () => {
  const sqlite3 = (sql: string) => execFileSync("sqlite3", [file, sql], { encoding: "utf8" }).trim();

  it("give the right rows through the sqlite3 program", async ({ skip }) => {
    // In CI the program is installed; a fresh machine may not have it, and need not to try alai out.
    if (!process.env.CI && spawnSync("sqlite3", ["--version"]).error) skip("needs the sqlite3 program");
    let shift = -120_000;
    const ledger = await open({ clock: () => Date.now() + shift });
    const titles = ["held", "lapsed", "free", "done", "just", "gone"];
    const added = await ledger.add(
      titles.map((title) => ({ title })),
      me,
    );
    const [held = 0, lapsed = 0, , done = 0, just = 0, gone = 0] = added.map(({ task }) => task.id);
    await ledger.claim([held], me, 600_000);
    await ledger.claim([lapsed], me, 60_000);
    shift = 0;
    await ledger.claim([just], bob, 5000);
    await ledger.claim([gone], bob, 60_000);
    await ledger.release([gone], bob);
    await ledger.setStatus([done], { verb: "done" }, me);
    expect((await ledger.leaseStatus([lapsed], me))[0]?.state).toBe("expired");
    const live =
      "SELECT id, title, lease_holder, lease_until FROM tasks WHERE lease_holder IS NOT NULL AND lease_until > datetime('now');";
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`;
    expect(sqlite3(live).split("\n")).toEqual([
      expect.stringMatching(new RegExp(String.raw`^${held}\|held\|ann:s1\|${time}$`)),
      expect.stringMatching(new RegExp(String.raw`^${just}\|just\|bob:s1\|${time}$`)),
    ]);
    expect(sqlite3("SELECT count(*) FROM tasks WHERE status='open'")).toBe("5");
    await expect.poll(() => sqlite3(live), { interval: 200 }).toMatch(new RegExp(`^${held}\\|held[^\n]*$`));
  });

  it("and a copy made by cp after closing is the whole ledger", async () => {
    const ledger = await open();
    await ledger.add([{ title: "x" }], me);
    ledger.close();
    copyFileSync(file, temp.path("copy.db"));
    file = temp.path("copy.db");
    expect(sqlite3("SELECT count(*) FROM tasks WHERE status='open'")).toBe("1");
  });
});
