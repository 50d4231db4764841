import { DatabaseSync } from "node:sqlite";
import type { Caller } from "@alai/core/ledger";
import { adopt } from "@alai/core/sqlite/adopt";
import type { SqliteLedger } from "@alai/core/sqlite/ledger";
import { beforeEach, describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";
import { makeFile, makeTasks } from "./foreign.ts";

const me: Caller = { actor: "ann", session: "s1" };
const bob: Caller = { actor: "bob", session: "s1" };
const NOW = Date.UTC(2026, 4, 8, 12, 0, 0, 500);

let file: string;
const temp = ledgers();
beforeEach(() => {
  file = temp.path("mission-control.db");
});

function open(clock = () => NOW): Promise<SqliteLedger> {
  return temp.open(file, { missing: "empty", clock });
}

/** Adopts a table of these columns and rows, and opens it. */
async function adopted(columns: string, rows: readonly string[], after = "") {
  makeTasks(file, columns, rows, after);
  const { plan } = await adopt(file, me, { clock: () => NOW });
  return { plan, ledger: await open() };
}

function query(sql: string) {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

describe("adopting files of other shapes", () => {
  const basic = "id INTEGER PRIMARY KEY, title TEXT, status TEXT";

  it.each([
    ["INT PRIMARY KEY", "id INT PRIMARY KEY, title TEXT, status TEXT", ""],
    ["no key", "id INTEGER, title TEXT, status TEXT", ""],
    ["a key of two columns", "id INTEGER, title TEXT, status TEXT, PRIMARY KEY (id, title)", ""],
    ["WITHOUT ROWID", "id INTEGER PRIMARY KEY, title TEXT, status TEXT", " WITHOUT ROWID"],
    ["STRICT", basic, " STRICT"],
    ["upper case", "ID INTEGER PRIMARY KEY, TITLE TEXT, Status TEXT", ""],
  ])("with %s: adds, claims and finishes", async (_name, columns, after) => {
    const { ledger } = await adopted(columns, ["7, 'seven', 'open'", "3, 'three', 'done'"], after);
    const [added] = await ledger.add([{ title: "next", tags: ["x"], due: NOW }], me);
    expect(added?.task.id).toBe(8);
    expect(await ledger.claim([7, 8], me, 60_000)).toMatchObject([{ fence: 1 }, { fence: 1 }]);
    await ledger.setStatus([7], { verb: "done" }, me);
    expect(query("SELECT id, status FROM tasks ORDER BY id")).toMatchObject([{}, {}, {}]);
    expect((await ledger.get([7, 8])).map((task) => [task.title, task.status, task.tags, task.extra])).toEqual([
      ["seven", "done", [], {}],
      ["next", "open", ["x"], {}],
    ]);
  });

  it.each([
    ["seconds", 1000],
    ["milliseconds", 1],
  ])("with times as %s since the epoch: reads and writes that form", async (_name, unit) => {
    const until = Math.floor(NOW / 1000) * 1000 + 60_000;
    const columns = `${basic}, lease_holder TEXT, lease_until INTEGER, created_at INTEGER`;
    const past = `${(NOW - 600_500) / unit}`;
    const { ledger } = await adopted(columns, [
      `1, 'a', 'open', 'john:abc', ${until / unit}, ${past}`,
      `2, 'b', 'open', 'john:abc', ${past}, ${past}`,
      `3, 'c', 'open', NULL, NULL, ${past}`,
    ]);
    expect(await ledger.get([1])).toMatchObject([
      { lease_state: "held", lease_until: until, created_at: NOW - 600_500 },
    ]);
    expect((await ledger.list({ held: true })).tasks.map((task) => task.id)).toEqual([1]);
    expect((await ledger.list({ expired: true })).tasks.map((task) => task.id)).toEqual([2]);
    const [grant] = await ledger.claim([3], me, 90_000);
    const [row] = query("SELECT typeof(lease_until) AS type, lease_until AS until FROM tasks WHERE id = 3");
    // Whatever the file can store, the holder is told exactly that: not one moment more.
    expect(row).toEqual({ type: "integer", until: Number(grant?.until) / unit });
    expect(grant?.until).toBeGreaterThanOrEqual(NOW + 90_000);
    const [renewed] = await ledger.extend([3], me, 120_000);
    expect((await ledger.leaseStatus([3], me))[0]?.until).toBe(renewed?.until);
    expect((await ledger.next({}, bob, { ttl: 1000 })).task.id).toBe(2);
    await expect(ledger.next({}, bob, { ttl: 1000 })).rejects.toMatchObject({ code: "none_ready" });
  });

  it("with leases as numbers in text: claims and next agree on who holds what", async () => {
    const columns = `${basic}, lease_holder TEXT, lease_until TEXT`;
    const { ledger } = await adopted(columns, [`1, 'a', 'open', 'john:abc', '${Math.floor(NOW / 1000) + 60}'`]);
    await expect(ledger.claim([1], me, 1000)).rejects.toMatchObject({ code: "held" });
    await expect(ledger.next({}, me, { ttl: 1000 })).rejects.toMatchObject({ code: "none_ready" });
    expect(await ledger.sweep(me, true)).toEqual([]);
  });

  it("whose holders are numbers or empty texts: they can be claimed, taken over and swept", async () => {
    const columns = `${basic}, lease_holder, lease_until TEXT`;
    const { ledger } = await adopted(columns, [
      "1, 'a', 'open', 42, '2026-05-08 11:00:00'",
      "2, 'b', 'open', '', ''",
      "3, 'c', 'open', 42, '2026-05-08 11:00:00'",
      "4, 'd', 'open', '', '2026-05-08 13:00:00'",
    ]);
    expect((await ledger.sweep(bob, false)).map((lease) => [lease.id, lease.holder])).toEqual([
      [1, "42"],
      [3, "42"],
    ]);
    expect(await ledger.claim([1, 2, 4], me, 60_000)).toMatchObject([{ previous: "42" }, { previous: null }, {}]);
    expect(await ledger.sweep(bob, true)).toMatchObject([{ id: 3, released: true }]);
    expect(await ledger.sweep(bob, true)).toEqual([]);
    expect((await ledger.get([3]))[0]?.lease_state).toBe("free");
  });

  it("with ISO leases and the zone given: the moment of expiry is theirs", async () => {
    const columns = `${basic}, lease_holder TEXT, lease_until TEXT`;
    const rows = [
      "1, 'a', 'open', 'john:abc', '2026-05-08T12:00:00.500Z'",
      "2, 'b', 'open', 'x', '2026-05-08T14:00:00.501+02:00'",
    ];
    const { ledger } = await adopted(columns, rows);
    expect((await ledger.get([1, 2])).map((task) => task.lease_state)).toEqual(["expired", "held"]);
    expect((await ledger.list({ expired: true })).tasks.map((task) => task.id)).toEqual([1]);
    await expect(ledger.claim([2], me, 60_000)).rejects.toMatchObject({ code: "held" });
    expect(await ledger.claim([1], me, 60_000)).toMatchObject([{ fence: 1, previous: "john:abc" }]);
  });

  it("with version, tags, parent and attempts of other meanings: theirs stay, ours stand beside them", async () => {
    const columns = `${basic}, version TEXT, tags TEXT, parent TEXT, attempts TEXT, dedup_key TEXT`;
    const row = "1, 'a', 'open', 'v1.2-beta', 'red, blue', 'EPIC-7', 'many', 'same'";
    const { plan, ledger } = await adopted(columns, [row, row.replace("1", "2")]);
    expect(plan.columns.names).toMatchObject({ version: "alai_version", parent: "alai_parent", tags: "tags" });
    expect(plan.keep_columns).toEqual(["version", "parent", "attempts", "dedup_key"]);
    const [task] = await ledger.get([1]);
    expect(task).toMatchObject({ version: 1, parent: null, attempts: 0, tags: ["red", "blue"], dedup_key: null });
    expect(task?.extra).toEqual({ version: "v1.2-beta", parent: "EPIC-7", attempts: "many", dedup_key: "same" });
    expect((await ledger.list({ tags: ["blue"] })).tasks).toHaveLength(2);
    await ledger.claim([1], me, 60_000);
    await ledger.edit([1], { addTags: ["green"], parent: 2 }, me);
    expect(query("SELECT version, tags, parent, attempts, alai_version AS ours FROM tasks WHERE id = 1")).toEqual([
      { version: "v1.2-beta", tags: "red,blue,green", parent: "EPIC-7", attempts: "many", ours: 2 },
    ]);
  });

  it("with creation times nobody can read, or in nanoseconds: they are kept as they are", async () => {
    const { plan, ledger } = await adopted(`${basic}, created_at, due INTEGER`, [
      "1, 'a', 'open', 'last tuesday', 1778241600123456789",
    ]);
    expect(plan.columns.names).toMatchObject({ created_at: "alai_created_at", due: "alai_due" });
    const [task] = await ledger.get([1]);
    expect(task?.extra).toEqual({ created_at: "last tuesday", due: "1778241600123456789" });
    expect(task).toMatchObject({ created_at: null, due: null });
  });

  it("with other words: shows, filters and writes the file's own", async () => {
    const { ledger, plan } = await adopted(basic, [
      "1, 'a', 'Todo'",
      "2, 'b', 'Todo'",
      "3, 'c', 'IN_PROGRESS'",
      "4, 'd', 'Closed'",
      "5, 'e', 'Waiting for Godot'",
    ]);
    expect(plan.words).toEqual({ Todo: "open", IN_PROGRESS: "open", Closed: "done" });
    expect(plan.unknown_words).toEqual(["Waiting for Godot"]);
    const all = (await ledger.list({ status: [], sort: [{ key: "id", descending: false }] })).tasks;
    expect(all.map((task) => [task.status, task.status_raw])).toEqual([
      ["open", "Todo"],
      ["open", "Todo"],
      ["open", "IN_PROGRESS"],
      ["done", "Closed"],
      ["Waiting for Godot", "Waiting for Godot"],
    ]);
    const ids = async (status: string[]) => (await ledger.list({ status })).tasks.map((task) => task.id);
    expect(await ids(["open"])).toEqual([1, 2, 3]);
    expect(await ids(["in_progress"])).toEqual([3]);
    expect(await ids(["waiting for godot"])).toEqual([5]);
    await expect(ledger.claim([5], me, 1000)).rejects.toMatchObject({ code: "not_open" });
    await ledger.setStatus([1, 3], { verb: "done" }, me);
    expect(query("SELECT status FROM tasks WHERE id IN (1, 3)")).toEqual([{ status: "Closed" }, { status: "Closed" }]);
    await ledger.undo(null, me);
    expect(query("SELECT status FROM tasks WHERE id = 3")).toEqual([{ status: "IN_PROGRESS" }]);
  });

  it("whose own rule forbids our word: refuses clearly and changes nothing", async () => {
    const columns = "id INTEGER PRIMARY KEY, title TEXT, status TEXT CHECK (status IN ('open', 'done'))";
    const { ledger } = await adopted(columns, ["1, 'a', 'open'"]);
    const before = await ledger.get([1]);
    const paused = ledger.setStatus([1], { verb: "paused" }, me);
    await expect(paused).rejects.toMatchObject({ name: "Refusal", code: "constraint" });
    await expect(paused).rejects.toThrow(/CHECK constraint failed/);
    expect(await ledger.get([1])).toEqual(before);
    await ledger.setStatus([1], { verb: "done" }, me);
  });

  it("in DELETE journal mode: keeps it", async () => {
    makeFile(file, `CREATE TABLE tasks (${basic}); INSERT INTO tasks VALUES (1, 'a', 'open')`, "DELETE");
    await adopt(file, me);
    const ledger = await open();
    await ledger.claim([1], me, 60_000);
    ledger.close();
    expect(query("PRAGMA journal_mode")).toEqual([{ journal_mode: "delete" }]);
  });

  it("that is locked for a moment: waits for it, to adopt and to open", async () => {
    makeFile(file, `CREATE TABLE tasks (${basic}); INSERT INTO tasks VALUES (1, 'a', 'open')`, "DELETE");
    const theirs = new DatabaseSync(file);
    const hold = () => {
      theirs.exec("BEGIN EXCLUSIVE");
      setTimeout(() => theirs.exec("COMMIT"), 150);
    };
    hold();
    await adopt(file, me);
    hold();
    expect((await (await open()).stats()).total).toBe(1);
    theirs.close();
  });
});
