import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Caller } from "@alai/core/ledger";
import { adopt, planAdoption, SqliteLedger } from "@alai/core/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folder } from "./folder.ts";
import { COLUMNS, columnsOf, dump, makeCompanyLedger, makeFile, makeTasks, OPEN, sha256, TASKS } from "./foreign.ts";

const me: Caller = { actor: "ann", session: "s1" };
const john: Caller = { actor: "john", session: "abc" };
const bob: Caller = { actor: "bob", session: "s1" };
const NOW = Date.UTC(2026, 4, 8, 12, 0, 0, 500);

let temp: ReturnType<typeof folder>;
let file: string;
const opened: SqliteLedger[] = [];

beforeEach(() => {
  temp = folder();
  file = temp.file("mission-control.db");
});
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
  temp.remove();
});

async function open(clock = () => NOW): Promise<SqliteLedger> {
  const ledger = await SqliteLedger.open(file, { missing: "empty", clock });
  opened.push(ledger);
  return ledger;
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

describe("adopting the company's ledger", () => {
  const others = ["events", "deps", "log"];

  it("changes nothing that was there, and leaves a copy", async () => {
    makeCompanyLedger(file);
    const columns = columnsOf(file);
    const before = dump(file, columns, others);
    const { plan, backup } = await adopt(file, me);
    expect(dump(file, columns, others)).toEqual(before);
    expect(before).toMatchObject({ user_version: 42, application_id: 77001, journal_mode: "wal" });
    expect(before.rows).toHaveLength(TASKS);
    expect(plan).toMatchObject({ tasks: TASKS, open: OPEN, adopted: false, journal_mode: "wal" });
    expect(plan.keep_columns).toEqual(["dod_evidence", "shape", "score", "big", "anything"]);
    expect(plan.unknown_words).toEqual(expect.arrayContaining(["URGENT-ish"]));
    expect(columnsOf(file).slice(0, columns.length)).toEqual(columns);
    const copy = dump(String(backup), columns, others);
    expect({ ...copy, journal_mode: "wal" }).toEqual(before);
    expect(columnsOf(String(backup))).toEqual(columns);
    expect(query("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });

  it("is told beforehand, exactly, by a plan that changes nothing", async () => {
    makeCompanyLedger(file);
    const before = sha256(file);
    const plan = await planAdoption(file);
    expect(sha256(file)).toBe(before);
    const columns = columnsOf(file);
    const { plan: done } = await adopt(file, me);
    expect(done).toEqual(plan);
    expect(columnsOf(file)).toEqual([...columns, ...plan.add_columns.map((column) => column.name)]);
    expect(plan.statements.length).toBeGreaterThan(plan.add_columns.length);
    expect(await planAdoption(file)).toMatchObject({ adopted: true, statements: [] });
    expect(await adopt(file, me)).toMatchObject({ backup: null });
  });

  it("serves every verb afterwards, on values that are shown and never rewritten", async () => {
    makeCompanyLedger(file);
    const columns = columnsOf(file);
    const untouched = dump(file, columns).rows.slice(10);
    await adopt(file, me, { clock: () => NOW });
    const ledger = await open();
    expect(await ledger.stats()).toMatchObject({ total: TASKS, by_status: { open: OPEN }, held: 2, expired: 1 });
    expect((await ledger.list({})).tasks).toHaveLength(OPEN);
    const [first, , , fourth] = await ledger.get([1, 2, 3, 4, 1000]);
    expect(first).toMatchObject({ lease_state: "held", lease_holder: "john:abc", priority: 2, priority_raw: "medium" });
    expect(first?.extra).toMatchObject({
      big: "9223372036854775806",
      score: 1.1,
      anything: "text",
      dod_evidence: null,
    });
    expect(fourth).toMatchObject({ lease_state: "free", lease_holder: null, priority: null, priority_raw: null });
    expect((await ledger.get([1000]))[0]?.title).toBe("");
    const [third] = await ledger.get([3]);
    expect(third).toMatchObject({ lease_state: "expired", priority: null, priority_raw: "URGENT-ish" });
    expect((await ledger.list({ priority: [1], limit: 0 })).tasks.every((task) => task.priority === 1)).toBe(true);

    await expect(ledger.claim([1], me, 60_000)).rejects.toMatchObject({ code: "held" });
    expect(await ledger.claim([1], john, 60_000)).toMatchObject([{ idempotent: true, fence: 0 }]);
    expect(await ledger.claim([3], me, 60_000)).toMatchObject([{ fence: 1, previous: "john:abc" }]);
    expect(await ledger.claim([4], me, 60_000)).toMatchObject([{ fence: 1, previous: null }]);
    expect(await ledger.sweep(me, true)).toEqual([]);
    await ledger.setStatus([4], { verb: "done" }, me);
    await ledger.edit([5], { priority: 1, title: "Five" }, me);
    const [added] = await ledger.add([{ title: "New", priority: 1 }], me);
    expect(added?.task).toMatchObject({ id: TASKS + 1, priority: 1, priority_raw: "high" });
    expect(query("SELECT id, title, status, priority FROM tasks WHERE id IN (4, 5, 8379)")).toEqual([
      { id: 4, title: "Task 4 – ünï", status: "done", priority: "" },
      { id: 5, title: "Five", status: "open", priority: "high" },
      { id: 8379, title: "New", status: "open", priority: "high" },
    ]);
    expect(query("SELECT * FROM log")).toEqual([{ task_id: 4, was: "open", became: "done" }]);
    const next = await ledger.next({}, bob, { ttl: 60_000 });
    expect(next.task).toMatchObject({ priority: 1 });
    expect(
      dump(file, columns)
        .rows.slice(10, -1)
        .filter((row, i) => row.row !== untouched[i]?.row),
    ).toHaveLength(next.task.id > 10 ? 1 : 0);
  });

  it("does not disturb the other program, which keeps its connection and goes on writing", async () => {
    makeCompanyLedger(file);
    const theirs = new DatabaseSync(file, { timeout: 5000 });
    const insert = theirs.prepare("INSERT INTO tasks (title, status) VALUES (?, 'open') RETURNING id");
    const update = theirs.prepare("UPDATE tasks SET owner = 'them' WHERE id = ?");
    let writes = 0;
    const timer = setInterval(() => {
      insert.get(`during ${writes}`);
      update.run((writes % 100) + 1);
      writes += 1;
    }, 1);
    try {
      await adopt(file, me);
      const ledger = await open();
      for (let i = 0; i < 20; i++) await ledger.add([{ title: `ours ${i}` }], me);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const seen = (await ledger.stats()).total;
      expect(seen).toBe(TASKS + 20 + writes);
    } finally {
      clearInterval(timer);
    }
    expect(writes).toBeGreaterThan(3);
    expect(insert.get("after")?.id).toBeGreaterThan(TASKS);
    const ledger = await open();
    const [late] = (await ledger.list({ text: ["after"] })).tasks;
    expect(late).toMatchObject({ status: "open", fence: 0, version: 1, attempts: 0, tags: [] });
    await ledger.claim([late?.id ?? 0], me, 60_000);
    theirs.close();
  });
});

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

describe("files that are not adopted", () => {
  const id = "id INTEGER PRIMARY KEY";
  const pages = (path: string) => {
    makeCompanyLedger(path);
    const db = new DatabaseSync(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    return readFileSync(path);
  };

  it.each<[string, string, (path: string) => void]>([
    ["text ids", "not_a_ledger", (path) => makeTasks(path, "id TEXT, title TEXT, status TEXT", ["'A-1', 'a', 'open'"])],
    ["ids twice", "not_a_ledger", (path) => makeTasks(path, "id, title, status", ["1, 'a', 'open'", "1, 'b', 'open'"])],
    ["no id in a row", "not_a_ledger", (path) => makeTasks(path, "id, title, status", ["NULL, 'a', 'open'"])],
    ["no tasks table", "not_a_ledger", (path) => makeFile(path, "CREATE TABLE other (a)")],
    [
      "tasks is a view",
      "not_a_ledger",
      (path) => makeFile(path, "CREATE TABLE t (id, title, status); CREATE VIEW tasks AS SELECT * FROM t"),
    ],
    [
      "tasks is virtual",
      "not_a_ledger",
      (path) => makeFile(path, "CREATE VIRTUAL TABLE tasks USING fts5(id, title, status)"),
    ],
    ["no title", "not_a_ledger", (path) => makeTasks(path, `${id}, status TEXT`, ["1, 'open'"])],
    ["no status", "not_a_ledger", (path) => makeTasks(path, `${id}, title TEXT`, ["1, 'a'"])],
    [
      "a lease nobody can read",
      "not_a_ledger",
      (path) =>
        makeTasks(path, `${id}, title, status, lease_until`, ["1, 'a', 'open', 'in an hour'", "2, 'b', 'open', NULL"]),
    ],
    [
      "leases of two forms",
      "not_a_ledger",
      (path) =>
        makeTasks(path, `${id}, title, status, lease_until`, [
          "1, 'a', 'open', 1778241600",
          "2, 'b', 'open', '2026-05-08 12:00:00'",
        ]),
    ],
    ["an empty file", "not_a_ledger", (path) => writeFileSync(path, "")],
    ["not SQLite", "corrupt", (path) => writeFileSync(path, "id,title,status\n1,a,open\n".repeat(500))],
    [
      "cut off",
      "corrupt",
      (path) => {
        const bytes = pages(path);
        writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
      },
    ],
    [
      "a page overwritten",
      "corrupt",
      (path) => {
        const bytes = pages(path);
        writeFileSync(path, bytes.fill(0xa5, 4096 * 20, 4096 * 21));
      },
    ],
  ])("%s: refused, to the last byte as it was", async (_name, code, make) => {
    make(file);
    const before = sha256(file);
    const files = readdirSync(temp.path).filter((name) => name.includes("backup"));
    await expect(planAdoption(file)).rejects.toMatchObject({ name: "StoreError", code });
    await expect(adopt(file, me)).rejects.toMatchObject({ name: "StoreError", code });
    expect(sha256(file)).toBe(before);
    expect(readdirSync(temp.path).filter((name) => name.includes("backup"))).toEqual(files);
  });

  it("one that is not there: refused, and not made", async () => {
    await expect(adopt(file, me)).rejects.toMatchObject({ code: "unavailable" });
    expect(existsSync(file)).toBe(false);
  });

  it.each(["WAL", "DELETE"] as const)("one that another program has locked (%s)", async (mode) => {
    makeFile(
      file,
      `CREATE TABLE tasks (${COLUMNS}); INSERT INTO tasks (id, title, status) VALUES (1, 'a', 'open')`,
      mode,
    );
    const theirs = new DatabaseSync(file);
    theirs.exec("BEGIN EXCLUSIVE");
    const before = sha256(file);
    await expect(adopt(file, me, { busyLimit: 100 })).rejects.toMatchObject({ name: "StoreError", code: "locked" });
    expect(sha256(file)).toBe(before);
    theirs.exec("ROLLBACK");
    theirs.close();
    expect(readdirSync(temp.path).some((name) => name.includes("backup"))).toBe(false);
    await adopt(file, me, { busyLimit: 100 });
  });

  it("one that is not adopted yet cannot be opened, and the way is named", async () => {
    makeTasks(file, COLUMNS, []);
    const before = sha256(file);
    await expect(open()).rejects.toMatchObject({ code: "not_adopted", hint: expect.stringContaining("mc adopt") });
    expect(sha256(file)).toBe(before);
  });
});
