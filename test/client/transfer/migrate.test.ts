import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { dice } from "@alai/core/conformance/random-ledger";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCompanyLedger, TASKS } from "../../core/foreign.ts";
import { type Served, serve } from "../served.ts";
import { ann, bob, fileRows, Home, inFile, makeBusyLedger, rowsOf, sql, stateOf, work } from "./bench.ts";

/** `alai mc migrate` and `alai mc export --sqlite`, over the real server. */

interface Report {
  readonly code: number;
  readonly equal: boolean;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly diverged: number | null;
  readonly differences: readonly string[];
  readonly tables: readonly Record<string, unknown>[];
}

let template: Home;
beforeAll(async () => {
  template = new Home();
  await makeBusyLedger(template.file("busy.db"), dice(7));
}, 300_000);
afterAll(() => template.remove());

/** A home with a copy of the busy ledger and an empty server beside it. */
async function withServer(body: (home: Home, source: string, server: Served) => Promise<void>): Promise<void> {
  const home = new Home();
  const source = home.file("mission-control.db");
  copyFileSync(template.file("busy.db"), source);
  const server = await serve(home.file("server.db"));
  try {
    await body(home, source, server);
  } finally {
    await server.close();
    home.remove();
  }
}

const migrate = (home: Home, source: string, to: string, ...more: string[]) =>
  home.json<Report>(["mc", "migrate", "--from", source, "--to", to, ...more]);

describe("migrate to a server", () => {
  test(
    "moves everything under the same numbers; the source is only read; twice adds nothing; and back it is the same",
    () =>
      withServer(async (home, source, server) => {
        const rows = await fileRows(source);
        const before = stateOf(source);
        const dry = await migrate(home, source, server.url, "--dry-run");
        expect(dry).toMatchObject({ code: 0, equal: false, added: rows.length, changed: 0, diverged: null });
        expect((await server.ledger.dumpHead()).rows.task).toBe(0);
        const done = await migrate(home, source, server.url);
        expect(done).toMatchObject({ code: 0, equal: true, added: rows.length, differences: [] });
        expect(done.tables[0]).toMatchObject({ table: "task", different: 0, missing: 0, extra: 0 });
        expect(Number(done.tables[0]?.source)).toBeGreaterThanOrEqual(TASKS);
        expect(await rowsOf(server.ledger)).toEqual(rows);
        expect(await migrate(home, source, server.url)).toMatchObject({ code: 0, equal: true, added: 0, changed: 0 });
        expect(stateOf(source)).toEqual(before);
        expect(readdirSync(home.file("home/.cache/alai/transfer"))).toEqual([]);
        const env = { ALAI_MC_URL: server.url };
        const back = await home.json<Report>(["mc", "export", "--sqlite", "back.db"], env);
        expect(back).toMatchObject({ code: 0, equal: true });
        expect((await fileRows(home.file("back.db"))).join("\n")).toBe(rows.join("\n"));
        expect((await home.run(["mc", "export", "--sqlite", "back.db"], env)).code).toBe(64);
        expect(readdirSync(home.dir).filter((name) => name.includes(".tmp"))).toEqual([]);
        expect(
          (await inFile(home.file("back.db"), (ledger) => ledger.add([{ title: "goes on" }], ann)))[0]?.existing,
        ).toBe(false);
      }),
    60_000,
  );

  test(
    "killed at any moment and run again it goes on; until it is whole the server takes no changes",
    () =>
      withServer(async (home, source, server) => {
        const rows = await fileRows(source);
        const roll = dice(11);
        const there = async () => Object.values((await server.ledger.dumpHead()).rows).reduce((sum, n) => sum + n, 0);
        const moreThan = async (enough: number, isOver = () => false) => {
          while (!isOver() && (await there()) <= enough) await new Promise((resolve) => setTimeout(resolve, roll(20)));
        };
        for (let round = 0; round < 5; round++) {
          const child = home.start(["mc", "migrate", "--from", source, "--to", server.url]);
          const ended = new Promise((resolve) => child.on("close", resolve));
          const enough = Math.floor((rows.length / 6) * (round + roll(2)));
          await moreThan(enough, () => child.exitCode !== null);
          child.kill("SIGKILL");
          await ended;
          const sofar = await there();
          if (sofar > 0 && sofar < rows.length)
            await expect(server.ledger.add([{ title: "too early" }], ann)).rejects.toMatchObject({
              code: "constraint",
            });
        }
        const before = await there();
        const stopped = home.run(["mc", "migrate", "--from", source, "--to", server.url]);
        await moreThan(before);
        home.signal("SIGINT");
        expect(await stopped).toMatchObject({ code: 130, err: expect.stringContaining("goes on where it stopped") });
        expect(await migrate(home, source, server.url)).toMatchObject({ code: 0, equal: true });
        expect(await rowsOf(server.ledger)).toEqual(rows);
        expect((await server.ledger.add([{ title: "now" }], ann))[0]?.existing).toBe(false);
      }),
    120_000,
  );

  test(
    "carries forward what changed in the source since",
    () =>
      withServer(async (home, source, server) => {
        await migrate(home, source, server.url);
        await inFile(source, async (ledger) => {
          await ledger.edit([5000], { title: "edited", addTags: ["x"] }, ann);
          await ledger.removeDependency(70, [71], ann);
          await ledger.extend([61], bob, 7_200_000);
          await ledger.setStatus([5002], { verb: "reopened" }, ann);
          await ledger.setStatus(
            [5002],
            { verb: "done", evidence: [{ path: "p", sha256: "a".repeat(64), size: 1 }] },
            ann,
          );
          await ledger.add([{ title: "new", blocked_by: [5002] }], ann);
          await work(ledger, dice(5), 120);
        });
        const second = await migrate(home, source, server.url);
        expect(second).toMatchObject({ code: 0, equal: true, diverged: null });
        expect(second.changed).toBeGreaterThan(3);
        expect(await rowsOf(server.ledger)).toEqual(await fileRows(source));
        expect(await migrate(home, source, server.url)).toMatchObject({ code: 0, added: 0, changed: 0, removed: 0 });
      }),
    60_000,
  );

  test(
    "a row that was tampered with is named, is not overwritten, and is exit 1",
    () =>
      withServer(async (home, source, server) => {
        await migrate(home, source, server.url);
        sql(
          home.file("server.db"),
          "UPDATE tasks SET title = 'forged' WHERE id = 4711; DELETE FROM alai_deps WHERE task_id = 70",
        );
        const found = await migrate(home, source, server.url);
        expect(found).toMatchObject({ code: 1, equal: false, changed: 0, differences: ["task 4711: different"] });
        expect((await server.ledger.get([4711]))[0]?.title).toBe("forged");
        const said = await home.run(["mc", "migrate", "--from", source, "--to", server.url]);
        expect(said.err).toContain("task 4711: different");
        expect(said.err).toContain("NOT equal");
      }),
    60_000,
  );

  test(
    "what the server did by itself is reported and never mixed with what the source did",
    () =>
      withServer(async (home, source, server) => {
        await migrate(home, source, server.url);
        const { seq } = await server.ledger.dumpHead();
        await server.ledger.edit([5000], { owner: "server" }, ann);
        const ahead = await migrate(home, source, server.url);
        expect(ahead).toMatchObject({ code: 1, added: 0, changed: 0, diverged: null });
        expect(ahead.differences).toEqual(["task 5000: different", `event ${seq + 1}: only in the target`]);
        await inFile(source, (ledger) => ledger.edit([5001], { owner: "source" }, ann));
        const before = await rowsOf(server.ledger);
        const both = await migrate(home, source, server.url);
        expect(both).toMatchObject({ code: 1, added: 0, changed: 0, diverged: seq + 1 });
        expect(await migrate(home, source, server.url, "--dry-run")).toMatchObject({ code: 1, diverged: seq + 1 });
        const { err } = await home.run(["mc", "migrate", "--from", source, "--to", server.url]);
        expect(err).toMatch(/nothing was brought.*\nalai: decide which of the two goes on: /);
        expect(err).toMatch(/ in (\d+ ms|\d+\.\d s)$/m);
        expect(await rowsOf(server.ledger)).toEqual(before);
      }),
    60_000,
  );

  test(
    "two ledgers are never mixed",
    () =>
      withServer(async (home, source, server) => {
        await server.ledger.add([{ title: "mine" }], ann);
        const refused = await home.run(["mc", "migrate", "--from", source, "--to", server.url, "--json"]);
        expect(refused.code).toBe(1);
        expect(JSON.parse(refused.err).error).toMatchObject({ code: "constraint" });
        expect((await server.ledger.dumpHead()).rows.task).toBe(1);
      }),
    60_000,
  );

  test(
    "a source that is being written meanwhile is copied as it was at one moment",
    () =>
      withServer(async (home, source, server) => {
        const writer = await SqliteLedger.open(source, { missing: "fail" });
        let stop = false;
        const roll = dice(3);
        const writing = (async () => {
          while (!stop) {
            await work(writer, roll, 1);
            // Verbs of a file never wait by themselves: nobody else would get a turn.
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        })();
        expect(await migrate(home, source, server.url)).toMatchObject({ code: 0, equal: true });
        stop = true;
        await writing;
        expect(await migrate(home, source, server.url)).toMatchObject({ code: 0, equal: true });
        expect(await rowsOf(server.ledger)).toEqual(await rowsOf(writer));
        writer.close();
      }),
    60_000,
  );
});

describe("the source", () => {
  async function inHome(body: (home: Home) => Promise<void>): Promise<void> {
    const home = new Home();
    try {
      await body(home);
    } finally {
      home.remove();
    }
  }

  test.each(["own", "adopted"])(
    "of schema 1 (%s) is read as it is, and known again when it was migrated since",
    (kind) =>
      inHome(async (home) => {
        const source = home.file("v1.db");
        const text = readFileSync(new URL(`../../core/fixtures/v1/${kind}.sql`, import.meta.url), "utf8");
        sql(source, `PRAGMA journal_mode = WAL; ${text}`);
        // As a program that was killed leaves it: what is committed stands in the log still.
        const open = new DatabaseSync(source);
        open.exec("UPDATE tasks SET title = 'from the log' WHERE id = 1");
        const before = stateOf(source);
        expect(before.wal).not.toBeNull();
        expect(await migrate(home, source, "new.db")).toMatchObject({ code: 0, equal: true });
        expect(await migrate(home, source, "new.db")).toMatchObject({ code: 0, added: 0 });
        expect(stateOf(source)).toEqual(before);
        open.close();
        expect(readdirSync(home.dir).filter((name) => name.includes("backup"))).toEqual([]);
        expect((await inFile(home.file("new.db"), (ledger) => ledger.get([1])))[0]?.title).toBe("from the log");
        await inFile(source, (ledger) => ledger.note([1], "of schema 2 now", bob));
        expect(await migrate(home, source, "new.db")).toMatchObject({ code: 0, equal: true, added: 1 });
      }),
  );

  test("that is not adopted is refused, untouched, with what to type", () =>
    inHome(async (home) => {
      makeCompanyLedger(home.file("theirs.db"));
      const before = stateOf(home.file("theirs.db"));
      const { code, err } = await home.run(["mc", "migrate", "--from", "theirs.db", "--to", "new.db"]);
      expect(code).toBe(69);
      expect(err).toContain(`alai mc adopt ${home.file("theirs.db")} --dry-run`);
      expect(stateOf(home.file("theirs.db"))).toEqual(before);
      expect(existsSync(home.file("new.db"))).toBe(false);
    }));

  test("that cannot be one, and targets that cannot be, are said", () =>
    inHome(async (home) => {
      sql(home.file("other.db"), "CREATE TABLE x (a)");
      await home.run(["mc", "add", "x", "--db", "a.db"]);
      const code = async (...words: string[]) => (await home.run(["mc", "migrate", ...words])).code;
      expect(await code("--from", "a.db")).toBe(64);
      expect(await code("--to", "b.db")).toBe(64);
      expect(await code("--from", "none.db", "--to", "b.db")).toBe(64);
      expect(await code("--from", "other.db", "--to", "b.db")).toBe(69);
      expect(await code("--from", "a.db", "--to", "./a.db")).toBe(64);
      expect(await code("--from", "a.db", "--to", "mysql://x/y")).toBe(64);
      expect(await code("--from", "a.db", "--to", "http://127.0.0.1:9", "--timeout", "300ms")).toBe(69);
      expect(await code("--from", "a.db", "--to", "b.db", "--dry-run")).toBe(0);
      expect(existsSync(home.file("b.db"))).toBe(false);
      expect(await code("--from", "a.db", "--to", "b.db")).toBe(0);
    }));
});
