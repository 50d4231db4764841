import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Caller } from "@alai/core/ledger";
import { adopt, planAdoption } from "@alai/core/sqlite/adopt";
import type { SqliteLedger } from "@alai/core/sqlite/ledger";
import { beforeEach, describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";
import { COLUMNS, columnsOf, dump, makeCompanyLedger, makeFile, makeTasks, OPEN, sha256, TASKS } from "./foreign.ts";

const me: Caller = { actor: "ann", session: "s1" };
const john: Caller = { actor: "john", session: "abc" };
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
    const other = spawn("node_modules/.bin/node", ["test/core/fixtures/other-program.ts", file]);
    let said = "";
    let complaints = "";
    other.stdout.on("data", (chunk) => {
      said += chunk;
    });
    other.stderr.on("data", (chunk) => {
      complaints += chunk;
    });
    await once(other.stdout, "data");
    // It writes beside the other process, so it waits for its turn, as any program must.
    const kept = new DatabaseSync(file, { timeout: 10_000 });
    const insert = kept.prepare("INSERT INTO tasks (title, status) VALUES (?, 'open')");
    insert.run("before");
    await adopt(file, me);
    const ours = await open();
    for (let i = 0; i < 20; i++) await ours.add([{ title: `ours ${i}` }], me);
    other.stdin.end();
    await once(other, "close");
    const writes = Number(said.split("\n")[1]);
    expect(complaints).toBe("");
    expect(writes).toBeGreaterThan(3);
    expect((await ours.stats()).total).toBe(TASKS + 1 + 20 + writes);
    insert.run("after");
    kept.close();
    const ledger = await open();
    const [late] = (await ledger.list({ text: ["after"] })).tasks;
    expect(late).toMatchObject({ status: "open", fence: 0, version: 1, attempts: 0, tags: [] });
    await ledger.claim([late?.id ?? 0], me, 60_000);
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
    const files = temp.backups();
    await expect(planAdoption(file)).rejects.toMatchObject({ name: "StoreError", code });
    await expect(adopt(file, me)).rejects.toMatchObject({ name: "StoreError", code });
    expect(sha256(file)).toBe(before);
    expect(temp.backups()).toEqual(files);
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
    expect(temp.backups().length > 0).toBe(false);
    await adopt(file, me, { busyLimit: 100 });
  });

  it("one that is not adopted yet cannot be opened, and the way is named", async () => {
    makeTasks(file, COLUMNS, []);
    const before = sha256(file);
    await expect(open()).rejects.toMatchObject({ code: "not_adopted", hint: expect.stringContaining("mc adopt") });
    expect(sha256(file)).toBe(before);
  });
});
