import type { DatabaseSync } from "node:sqlite";
import { adopt } from "@alai/core/sqlite/adopt";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { beforeEach, describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";

/** What another program wrote is still what it wrote, whatever is done with it here. */

const me = { actor: "ann", session: "1" };
let file: string;
const temp = ledgers();
beforeEach(() => {
  file = temp.path("their.db");
});

function theirs<T>(body: (db: DatabaseSync) => T): T {
  return temp.withDb(file, body);
}

async function adopted(sql: string): Promise<SqliteLedger> {
  theirs((db) => db.exec(sql));
  await adopt(file, me);
  return SqliteLedger.open(file, { missing: "fail" });
}

describe("an adopted file", () => {
  it("gets its own spelling back when an edit is undone", async () => {
    const ledger = await adopted(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT, status TEXT, priority TEXT, tags TEXT); INSERT INTO tasks VALUES (1, 'a', 'open', 'bananas', 'x, y')",
    );
    await ledger.edit([1], { priority: 1, addTags: ["z"] }, me);
    await ledger.undo(null, me);
    ledger.close();
    expect(theirs((db) => db.prepare("SELECT priority, tags FROM tasks").get())).toEqual({
      priority: "bananas",
      tags: "x, y",
    });
  });

  it("gets times in the form its columns have", async () => {
    const ledger = await adopted(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT, status TEXT, created_at TEXT, updated_at TEXT); INSERT INTO tasks VALUES (1, 'a', 'open', '2026-05-08T12:30:00Z', '2026-05-08T12:30:00Z')",
    );
    await ledger.edit([1], { title: "b" }, me);
    ledger.close();
    expect(theirs((db) => db.prepare("SELECT updated_at AS u FROM tasks").get())).toEqual({
      u: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  it("keeps a holder without an end: it is held, not expired, and no sweep clears it", async () => {
    const ledger = await adopted(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT, status TEXT, lease_holder TEXT, lease_until TEXT); INSERT INTO tasks VALUES (1, 'a', 'open', 'perm:x', NULL)",
    );
    await expect(ledger.claim([1], me, 1000)).rejects.toMatchObject({ code: "held" });
    await expect(ledger.next({}, me, { ttl: 1000 })).rejects.toMatchObject({ code: "none_ready" });
    expect(await ledger.sweep(me, true)).toEqual([]);
    expect((await ledger.list({ held: true })).tasks).toHaveLength(1);
    ledger.close();
  });

  it("has computed columns: they are left to their owner", async () => {
    const ledger = await adopted(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT, status TEXT, project TEXT GENERATED ALWAYS AS (upper(title)) VIRTUAL); INSERT INTO tasks (id, title, status) VALUES (1, 'a', 'open')",
    );
    const [task] = await ledger.edit([1], { project: "p" }, me);
    expect(task?.project).toBe("p");
    expect(theirs((db) => db.prepare("SELECT project FROM tasks").get())).toEqual({ project: "A" });
    ledger.close();
  });

  it("may hold a status that nobody knows; its export comes back", async () => {
    const ledger = await adopted(
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT, status TEXT); INSERT INTO tasks VALUES (1, 'a', 'odd')",
    );
    const { tasks } = await ledger.list({ status: [] });
    const other = await SqliteLedger.open(temp.path("fresh.db"), { missing: "create" });
    await other.import([{ title: "a", status: tasks[0]?.status as "open" }], me);
    expect((await other.list({ status: [] })).tasks[0]?.status).toBe("odd");
    await expect(other.claim([1], me, 1000)).rejects.toMatchObject({ code: "not_open" });
    other.close();
    ledger.close();
  });
});
