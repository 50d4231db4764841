import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { liftsOver } from "../../../src/dr/agent/over-hole.ts";
import { filesByReplica, newestTxid } from "../../../src/dr/ltx/name.ts";
import { planTo } from "../../../src/dr/ltx/plan.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { litestreamRestore } from "../copy/standby.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// One world, which the tests go through one after the other.
let world: World;
let fleet: Fleet;
let agent: TestProcess;
beforeAll(async () => {
  world = await World.make({ databases: ["one", "two", "cut"] });
  writeFileSync(world.file("mail"), "");
  world.create("far");
  fleet = await Fleet.make(world, { optional: ["mail"], plain: ["far"], apart: true });
  agent = fleet.start("anvil");
  for (const name of ["one", "two", "cut", "far"]) {
    const from = Date.now();
    world.sql(name, "INSERT INTO marker VALUES (1, 0, 'before')");
    await fleet.says("anvil", name, "is shipped", ({ shipped }) => (shipped?.time ?? 0) > from);
  }
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function filesOf(name: string) {
  const storage = await world.openStorage();
  return filesByReplica(await storage.list("e1/"), "e1/").get(name) ?? [];
}

async function planOf(name: string) {
  const files = await filesOf(name);
  return planTo(files, 0, newestTxid(files));
}

/** @param query of one number, named n. */
function countIn(file: string, query = "SELECT count(*) AS n FROM marker"): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(db.prepare(query).get()?.n);
  } finally {
    db.close();
  }
}

/** What the real Litestream restores, once it does and that has so many rows. */
function restores(name: string, query: string, rows: number): Promise<true> {
  const out = join(world.folder, "restored.db");
  return until(`${rows} rows of ${name} out of storage`, () => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(out + suffix, { force: true });
    try {
      litestreamRestore(world, `e1/${name}`, out);
      return countIn(out, query) === rows ? true : null;
    } catch {
      // Not restorable yet, or the table is not in it yet.
      return null;
    }
  });
}

it("says at start that without a token it serves its own machine only, and what to set", async () => {
  await agent.says(/serves this machine only: .*Set ALAI_DR_TOKEN/);
});

it("storage that has lost all of a database gets a whole image, that is counted, and other Litestreams go on", async () => {
  const folder = join(world.folder, "storage", "e1");
  expect(statSync(folder).isDirectory()).toBe(true);
  rmSync(join(folder, "far"), { recursive: true, force: true, maxRetries: 9 });
  await agent.says(/a whole image is sent/);
  world.sql("far", "INSERT INTO marker VALUES (2, 0, 'after')");
  await restores("far", "SELECT count(*) AS n FROM marker", 2);
  await fleet.says("anvil", "far", "healed", ({ reseeds, note }) => reseeds === 1 && note === null);
  expect((await planOf("far")).kind).toBe("way");
  for (const name of ["one", "far"]) {
    const from = Date.now();
    world.sql(name, "INSERT INTO marker (at_ms, filler) VALUES (0, 'more')");
    await fleet.says("anvil", name, "ships, and is heard", ({ shipped }) => (shipped?.time ?? 0) > from);
  }
});

/** Storage loses a file of the database `one`. */
async function makeHole(storage: Storage): Promise<void> {
  // Litestream may put files together at the same moment: then there is none yet.
  await until("a hole", async () => {
    world.sql("one", "INSERT INTO marker (at_ms, filler) VALUES (0, 'more')");
    const plan = await planOf("one");
    if (plan.kind === "hole") return true;
    const lost = plan.files.length > 5 ? plan.files.at(-3)?.min : undefined;
    for (const { key, min, max } of lost ? await filesOf("one") : [])
      if (min > 1 && min <= (lost ?? 0) && max >= (lost ?? 0)) await storage.remove(key);
    return null;
  });
}

/** What the status says of `one` again and again, for as long as the hole is there. */
async function levelsUntilHealed(reseedsBefore: number): Promise<readonly unknown[]> {
  const levels: unknown[] = [];
  await until("healed", async () => {
    const { databases } = await fleet.status();
    // One that is there now was there while the status was taken.
    const isThere = (await planOf("one")).kind === "hole";
    if (isThere) levels.push(databases.find(({ name }) => name === "one")?.level);
    const one = (await fleet.report("anvil"))?.databases.find(({ name }) => name === "one");
    return !isThere && one?.note === null && one.reseeds > reseedsBefore;
  });
  return levels;
}

it("a hole in the midst is healed too, and never green; the standby goes on", async () => {
  fleet.start("forge");
  const storage = await world.openStorage();
  await fleet.says("forge", "one", "a copy", ({ published }) => published !== null);
  const levels: unknown[] = [];
  // It may be healed before anybody could look.
  while (levels.length === 0) {
    const { reseeds } = await fleet.says("anvil", "one", "well", ({ note }) => note === null);
    await makeHole(storage);
    levels.push(...(await levelsUntilHealed(reseeds)));
  }
  expect(levels).toContain("breached");
  expect(levels).not.toContain("ok");
  expect(liftsOver(await filesOf("one"))).toEqual([]);
  world.sql("one", "INSERT INTO marker (at_ms, filler) VALUES (0, 'last')");
  const rows = countIn(world.file("one"));
  await restores("one", "SELECT count(*) AS n FROM marker", rows);
  await until("the standby's copy", () => countIn(join(world.folder, "copies", "one.db")) === rows);
  await fleet.untilStatus("well again", (all) => all.find(({ name }) => name === "one")?.level === "ok");
});

it("one that is replaced begins with a whole image; also when that was done while no agent ran", async () => {
  const replace = (word: string) => {
    const next = join(world.folder, "next.db");
    const db = new DatabaseSync(next);
    db.exec(`PRAGMA journal_mode = WAL; CREATE TABLE replaced (x); INSERT INTO replaced VALUES ('${word}')`);
    db.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(world.file("two") + suffix, { force: true });
    renameSync(world.file("two"), join(world.folder, `old-${word}.db`));
    renameSync(next, world.file("two"));
  };
  replace("first");
  await fleet.says("anvil", "two", "a whole image", ({ reseeds }) => reseeds === 1);
  await restores("two", "SELECT count(*) AS n FROM replaced WHERE x = 'first'", 1);
  await agent.kill("SIGTERM");
  replace("second");
  agent = fleet.start("anvil");
  await fleet.says("anvil", "two", "a whole image", ({ reseeds }) => reseeds === 2);
  await restores("two", "SELECT count(*) AS n FROM replaced WHERE x = 'second'", 1);
});

it("one with data that is cut to nothing is damaged, over a restart too; one that never had any is empty", async () => {
  const isDamaged = () =>
    fleet.says(
      "anvil",
      "cut",
      "is damaged",
      ({ state, note }, { alarms }) =>
        state === "damaged" && /had data/.test(note ?? "") && alarms.some(({ subject }) => subject === "cut"),
    );
  // Not under the agent: the log of those who have it open may hold all of it, and bring it back.
  await agent.kill("SIGTERM");
  truncateSync(world.file("cut"));
  agent = fleet.start("anvil");
  await isDamaged();
  await agent.kill("SIGTERM");
  agent = fleet.start("anvil");
  await isDamaged();
  await fleet.says("anvil", "mail", "is empty", ({ state }) => state === "empty");
});
