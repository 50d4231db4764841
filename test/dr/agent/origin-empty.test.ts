import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type KnownOfOrigin, Origin } from "../../../src/dr/agent/origin.ts";
import type { Database } from "../../../src/dr/manifest/model.ts";
import { manifestIn } from "./manifest.ts";

// What a database of the primary is called that has nothing in it: nobody has lost anything, or somebody has.
let folder: string;
let file: string;
const opened: Origin[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-empty-"));
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
  rmSync(folder, { recursive: true, force: true });
});

const FORGOTTEN: KnownOfOrigin = { beat: null, shipped: null, inode: null, data: null, healed: null };

/** @param known what the agent remembers; absent: nothing. */
function origin(more: Partial<Database>, known: Partial<KnownOfOrigin> = {}): Origin {
  const { databases, hosts } = manifestIn(folder);
  const [database] = databases;
  const [host] = hosts;
  if (!database || !host) throw new Error("an empty manifest");
  const one = new Origin({ ...database, ...more }, host, { ...FORGOTTEN, ...known });
  opened.push(one);
  file = one.file;
  mkdirSync(dirname(file), { recursive: true });
  return one;
}

const NOTHING_YET = { data: { size: 0, isCut: false } };
const PLANNED = { size: 0, sizeClass: "empty" } as const;

function make(...statements: string[]): void {
  const db = new DatabaseSync(file);
  for (const statement of statements) db.exec(statement);
  db.close();
}

const litestreams = () => make("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)");
const services = () => make("CREATE TABLE mail (x)", "INSERT INTO mail VALUES (1)");
/** The old file is still somewhere, as where somebody has it open: the new one has another inode. */
function replaceBy(how: () => void): void {
  if (existsSync(file)) renameSync(file, `${file}.old`);
  how();
}
const nothing = () => writeFileSync(file, "");

/** What the agent does at each tick. */
function tick(one: Origin, at = 0): void {
  one.look();
  one.beat(1, () => 1000 + at, at);
}

describe.each([
  ["with heartbeats", 10_000],
  ["without", null],
] as const)("a database that is planned as empty, %s", (_, heartbeat) => {
  const planned = (known?: Partial<KnownOfOrigin>) => origin({ ...PLANNED, heartbeat }, known);

  it("is so while no service has made a table in it, whatever Litestream makes", () => {
    const one = planned(NOTHING_YET);
    for (const how of [nothing, litestreams, nothing]) {
      replaceBy(how);
      tick(one);
      expect(one.report).toMatchObject({ hadData: false });
      expect(one.report.state).not.toBe("damaged");
    }
    expect(one.report.state).toBe("empty");
  });

  it.each([
    ["no bytes", nothing],
    ["Litestream's tables alone", litestreams],
  ])("has lost what came to be in it when that is gone, and there are %s", (_how, how) => {
    const one = planned(NOTHING_YET);
    services();
    tick(one);
    expect(one.report).toMatchObject({ state: "ok", hadData: true });
    replaceBy(how);
    tick(one, 60_000);
    expect(one.report).toMatchObject({
      state: "damaged",
      hadData: true,
      note: expect.stringMatching(/had data before/),
    });
    replaceBy(services);
    tick(one, 120_000);
    expect(one.report).toMatchObject({ state: "ok", hadData: true });
  });

  it("has lost it also where the same file was cut", () => {
    const one = planned(NOTHING_YET);
    make("CREATE TABLE mail (x)", "INSERT INTO mail VALUES (randomblob(20000))");
    tick(one);
    make("DROP TABLE mail", "VACUUM");
    litestreams();
    one.close();
    tick(one, 60_000);
    expect(one.report).toMatchObject({ state: "damaged", hadData: true });
  });

  it("is kept from Litestream where nobody remembers, until storage has said that it has no data of it", () => {
    planned();
    nothing();
    const one = planned();
    one.look();
    expect(one.isAsking).toBe(true);
    one.told(4096);
    expect([one.isHeld, one.report.state, one.report.hadData]).toEqual([true, "damaged", true]);
    const other = planned();
    other.told(0);
    other.look();
    expect([other.isHeld, other.report.state, other.report.hadData]).toEqual([false, "empty", false]);
  });
});

describe("a database that may be missing", () => {
  it("was never there where storage has nothing of it", () => {
    const one = origin({ optional: true });
    one.look();
    expect(one.isAsking).toBe(true);
    one.told(0);
    expect(one.report).toMatchObject({ state: "missing", hadData: false, note: null });
    expect(one.isHeld).toBe(false);
  });

  it("was there where storage has data of it; an empty file that comes in its place is not sent", () => {
    const one = origin({ optional: true });
    one.look();
    one.told(8192);
    expect(one.report).toMatchObject({
      ...{ state: "missing", hadData: true },
      note: expect.stringMatching(/^Storage has data of it \(a file of 8192 bytes\), and here it is missing\./),
    });
    nothing();
    one.look();
    expect([one.release(), one.isHeld, one.report.state]).toEqual([false, true, "damaged"]);
    services();
    one.look();
    expect([one.release(), one.isHeld, one.report.state]).toEqual([true, false, "ok"]);
  });

  it("was there where it is remembered", () => {
    const one = origin({ optional: true }, NOTHING_YET);
    services();
    tick(one);
    rmSync(file);
    tick(one, 60_000);
    expect(one.report).toMatchObject({ state: "missing", hadData: true });
  });
});
