import { closeSync, copyFileSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { decodeLtx } from "../../../src/dr/ltx/decode.ts";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { mustBeSound, TestStandby } from "./standby.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");
/** Much compaction, many snapshots, and files of level 0 that are soon gone. */
const BUSY =
  "snapshot: {interval: 10s, retention: 1h}\nlevels: [{interval: 2s}, {interval: 6s}]\nl0-retention: 10s\nl0-retention-check-interval: 3s\n";

/** A follower that is killed: before its nth step, or, with 0, by the test. */
function startFollower(standby: TestStandby, step: number): TestProcess {
  const words = [join(FIXTURES, "follower.ts"), standby.world.folder, "standby", standby.name, `${step}`];
  return new TestProcess(process.execPath, words, { ...process.env });
}

/** Kills followers again and again; what readers could open must be sound each time. @returns before which steps they died. */
async function killAgainAndAgain(standby: TestStandby, steps: readonly number[]): Promise<ReadonlySet<string>> {
  const deaths = new Set<string>();
  for (const step of steps) {
    const follower = startFollower(standby, step);
    if (step === 0) {
      await until("a round", () => follower.output.includes("applied") || follower.isOver);
      await sleep(Math.random() * 300);
    } else await until("its death", () => follower.isOver);
    await follower.kill();
    const death = /^killed before: (.+)$/m.exec(follower.output)?.[1];
    if (step > 0 && death === undefined) throw new Error(`The follower failed:\n${follower.output}`);
    if (death) deaths.add(death);
    if (existsSync(standby.published)) mustBeSound(standby.published);
  }
  return deaths;
}

/** Lets the last one follow to the end, and compares with what the real Litestream restores. */
async function mustBeEqualAtTheEnd(standby: TestStandby): Promise<void> {
  await until("the end to be reached and published", async () => {
    await standby.follow();
    await standby.copy.publish();
    const { applied, published, state } = standby.copy.report();
    return state === "ok" && applied?.txid === (await standby.newest()) && published?.txid === applied.txid;
  });
  const [mine, theirs] = [readFileSync(standby.file), readFileSync(standby.reference())];
  expect(mine.equals(theirs)).toBe(true);
  mustBeSound(standby.published);
  expect(readdirSync(standby.work).filter((entry) => /-wal|-shm|\.seed|\.next|\.rewrite/.test(entry))).toEqual([]);
}

async function atWork(world: World, pageSize: number, autoVacuum: number): Promise<TestProcess> {
  const words = [
    join(FIXTURES, "workload.ts"),
    world.file("one"),
    `${pageSize}`,
    `${autoVacuum}`,
    `${pageSize + autoVacuum}`,
  ];
  const load = new TestProcess(process.execPath, words, { ...process.env });
  await load.says(/writing/);
  return load;
}

/** The same pages written in place, and cut off in the middle, as restore -f does it: this test would see it. */
async function mustNoticeTornPages(standby: TestStandby): Promise<void> {
  const torn = join(standby.world.folder, "torn.db");
  copyFileSync(standby.file, torn);
  const [big] = (await standby.files()).toSorted((a, b) => b.size - a.size);
  const file = openSync(torn, "r+");
  let left = 2000;
  const page = (number: number, data: Uint8Array) => {
    if (left-- > 0) writeSync(file, data, 0, data.length, (number - 1) * data.length);
  };
  await decodeLtx(standby.storage.stream(big?.key ?? ""), { header() {}, page });
  closeSync(file);
  expect(() => mustBeSound(torn)).toThrow();
}

describe("a follower killed at any moment, while services write and Litestream compacts", () => {
  test.each([
    [512, 1, [3, 5, 7, 9, 0, 11, 4, 0, 8, 6]],
    [4096, 0, [2, 6, 0, 8, 10, 12, 5, 9, 0, 7]],
    [65_536, 2, [4, 8, 0, 5, 7, 13, 6, 0, 9, 10]],
  ])("pages of %i bytes, auto_vacuum %i", async (pageSize, autoVacuum, steps) => {
    await using world = await World.make({ databases: [] });
    const load = await atWork(world, pageSize, autoVacuum);
    try {
      await world.startLitestream({ databases: ["one"], settings: BUSY });
      const standby = await TestStandby.make(world, "one");
      await until("a file in storage", async () => (await standby.files()).length > 0);
      const deaths = await killAgainAndAgain(standby, steps);
      expect(deaths.size).toBeGreaterThan(2);
      await load.kill("SIGTERM");
      await standby.reopen();
      await mustBeEqualAtTheEnd(standby);
    } finally {
      await load.kill();
    }
  });

  test("a transaction of 60 MB is there as a whole or not at all", async () => {
    await using world = await World.make();
    await world.startLitestream({ settings: BUSY });
    const standby = await TestStandby.make(world, "one");
    world.sql("one", "CREATE TABLE big (part INTEGER, body BLOB)");
    await standby.followUntil("SELECT count(*) FROM big", 0);
    await standby.copy.publish();
    await standby.copy.close();
    const before = await standby.newest();
    const parts = "WITH RECURSIVE n(part) AS (SELECT 1 UNION ALL SELECT part + 1 FROM n WHERE part < 6000)";
    world.sql("one", `INSERT INTO big ${parts} SELECT part, randomblob(10000) FROM n`);
    await until("it to be in storage", async () =>
      (await standby.files()).some(({ size, max }) => max > before && size > 5e7),
    );
    await mustNoticeTornPages(standby);
    for (const step of [2, 3, 4, 5, 6, 0, 0]) {
      const follower = startFollower(standby, step);
      if (step > 0) await until("its death", () => follower.isOver);
      else await sleep(300 + Math.random() * 1200);
      await follower.kill();
      mustBeSound(standby.published);
      expect([0, 6000]).toContain(standby.count("SELECT count(*) FROM big", standby.published));
    }
    await standby.reopen();
    await standby.followUntil("SELECT count(*) FROM big", 6000);
    await mustBeEqualAtTheEnd(standby);
  });
});
