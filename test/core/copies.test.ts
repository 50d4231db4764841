import { readFileSync } from "node:fs";
import type { DumpRow, Transferable } from "@alai/core/dump";
import type { Caller } from "@alai/core/ledger";
import { adopt } from "@alai/core/sqlite/adopt";
import { describe, expect, it } from "vitest";
import { ledgers } from "./folder.ts";
import { makeCompanyLedger, TASKS } from "./foreign.ts";

const ann: Caller = { actor: "ann", session: "s1" };
const NOW = Date.UTC(2026, 4, 8, 12, 30);
const at = { clock: () => NOW };
const { open, path, withDb } = ledgers();

async function rowsOf(ledger: Transferable): Promise<DumpRow[]> {
  const rows: DumpRow[] = [];
  for await (const row of ledger.dump()) rows.push(row);
  return rows;
}

const lines = (rows: readonly DumpRow[]) => rows.map((row) => JSON.stringify(row));

describe("a copy of an adopted ledger", () => {
  it("has every row, word and column of the company's, and goes on", async () => {
    makeCompanyLedger(path("theirs.db"));
    await adopt(path("theirs.db"), ann, at);
    const source = await open("theirs.db", at);
    await source.claim([7], ann, 3_600_000);
    await source.edit([5], { priority: 1, title: "Five" }, ann);
    const rows = await rowsOf(source);
    const copy = await open("copy.db", at);
    const head = await source.dumpHead();
    expect(head.rows.task).toBe(TASKS);
    for (let i = 0; i < rows.length; i += 3000)
      expect((await copy.restore(head, rows.slice(i, i + 3000))).different).toEqual([]);
    expect(lines(await rowsOf(copy))).toEqual(lines(rows));
    expect(await copy.dumpHead()).toEqual(head);
    const answers = async (of: typeof copy) => [
      (await of.list({ limit: 200 })).tasks.map(({ extra: _, ...task }) => task),
      (await of.list({ priority: [1], status: [] })).tasks.length,
      await of.leaseStatus([1, 2, 3, 4, 7], ann),
      await of.next({}, ann, null),
    ];
    const [there, here] = [await answers(source), await answers(copy)];
    expect(JSON.parse(JSON.stringify(here, withoutExtra))).toEqual(JSON.parse(JSON.stringify(there, withoutExtra)));
    const asked = "SELECT id, big, score, dod_evidence FROM tasks WHERE score > 5000 AND dod_evidence IS NOT NULL";
    const said = (file: string) =>
      withDb(file, (db) => db.prepare(asked.replace("big", "CAST(big AS TEXT) AS big")).all());
    expect(said("copy.db")).toEqual(said("theirs.db"));
    const [added] = await copy.add([{ title: "new" }], ann);
    expect(added?.task.id).toBe(TASKS + 1);
    // And back: what is new comes, what is there is known again.
    const back = await source.restore(await copy.dumpHead(), await rowsOf(copy));
    expect(back).toEqual({ added: 2, changed: 0, same: rows.length, different: [] });
  });

  it("makes room for a column that has the name of one of ours, on all connections that come later", async () => {
    const sql = readFileSync(new URL("fixtures/v1/adopted.sql", import.meta.url), "utf8");
    withDb("theirs.db", (db) => db.exec(sql));
    const source = await open("theirs.db", at);
    const copy = await open("copy.db", at);
    await copy.restore(await source.dumpHead(), await rowsOf(source));
    const version = withDb("copy.db", (db) => db.prepare("SELECT version, alai_version FROM tasks WHERE id = 1").get());
    expect(version).toEqual({ version: "v1.2", alai_version: 1 });
    expect(await copy.edit([1], { title: "x" }, ann)).toMatchObject([{ version: 2, extra: { version: "v1.2" } }]);
    const later = await open("copy.db", at);
    expect(await later.edit([1], { title: "y" }, ann)).toMatchObject([{ version: 3, extra: { version: "v1.2" } }]);
    expect(withDb("copy.db", (db) => db.prepare("PRAGMA integrity_check").get())).toEqual({ integrity_check: "ok" });
  });

  it("takes back the room it made when the piece fails", async () => {
    const sql = readFileSync(new URL("fixtures/v1/adopted.sql", import.meta.url), "utf8");
    withDb("theirs.db", (db) => db.exec(sql));
    const source = await open("theirs.db", at);
    let armed = true;
    const copy = await open("copy.db", {
      ...at,
      failpoint: (here) => {
        if (armed && here === "before-commit") throw new Error("died");
      },
    });
    const head = await source.dumpHead();
    await expect(copy.restore(head, await rowsOf(source))).rejects.toThrow("died");
    armed = false;
    expect((await copy.stats()).ledger).not.toBe(head.ledger);
    expect(await copy.add([{ title: "mine" }], ann)).toMatchObject([{ task: { id: 1, version: 1 } }]);
  });
});

describe("a copy that is not complete", () => {
  async function half() {
    const source = await open("source.db", at);
    await source.add([{ title: "a" }, { title: "b" }, { title: "c" }], ann);
    const [head, rows] = [await source.dumpHead(), await rowsOf(source)];
    const copy = await open("copy.db", at);
    await copy.restore(head, rows.slice(0, 4));
    return { copy, head, rows };
  }

  it("takes no changes, on any connection, until the last row is there; it can be read", async () => {
    const { copy, head, rows } = await half();
    const second = await open("copy.db", at);
    for (const ledger of [copy, second]) {
      await expect(ledger.add([{ title: "too early" }], ann)).rejects.toMatchObject({ code: "constraint" });
      await expect(ledger.claim([1], ann, 60_000)).rejects.toMatchObject({ code: "constraint" });
      expect((await ledger.list({})).tasks).toHaveLength(3);
    }
    await copy.restore(head, rows.slice(4));
    for (const ledger of [copy, second]) expect(await ledger.claim([1], ann, 60_000)).toMatchObject([{ fence: 1 }]);
    expect(await copy.events({})).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4, kind: "acquired" }]);
  });

  it("is still one after it was closed", async () => {
    const { copy, head, rows } = await half();
    copy.close();
    const again = await open("copy.db", at);
    await expect(again.note([1], "x", ann)).rejects.toMatchObject({ code: "constraint" });
    expect(await again.restore(head, rows)).toEqual({ added: 2, changed: 0, same: 4, different: [] });
    await again.note([1], "x", ann);
  });
});

/** What is empty in a column of theirs is not carried over. */
function withoutExtra(name: string, value: unknown): unknown {
  return name === "extra" ? undefined : value;
}
