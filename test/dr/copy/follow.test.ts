import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { until, World } from "../world.ts";
import { mustBeSound, TestStandby } from "./standby.ts";

const ROWS = "SELECT count(*) FROM marker";
const INSERT = "INSERT INTO marker (at_ms, filler) VALUES (1, hex(randomblob(900)))";
/** No snapshot but the first, and files of level 0 stay until the test removes them. */
const STILL = "snapshot: {interval: 1h, retention: 2h}\nlevels: [{interval: 1h}]\nl0-retention: 1h\n";

function insert(world: World, rows: number): void {
  world.sql("one", `BEGIN; ${`${INSERT};`.repeat(rows)} COMMIT`);
}

function path(world: World, key: string): string {
  return join(world.storage.type === "file" ? world.storage.path : "", key);
}

/** A standby that has the first rows. */
async function following(world: World, settings = STILL): Promise<TestStandby> {
  insert(world, 3);
  await world.startLitestream({ settings });
  const standby = await TestStandby.make(world, "one");
  await standby.followUntil(ROWS, 3);
  // It comes at some moment of the first seconds: before, tests of holes would be tests of luck.
  await until("the first snapshot", async () => (await standby.files()).some(({ level }) => level === 9));
  await standby.followUntil(ROWS, 3);
  return standby;
}

describe("a standby's copy", () => {
  test("follows, and is what litestream restore makes, to the byte", async () => {
    await using world = await World.make();
    const standby = await following(world);
    world.sql("one", "CREATE TABLE _alai_hb (id INTEGER PRIMARY KEY, epoch INTEGER, seq INTEGER, ts_ms INTEGER)");
    world.sql("one", "INSERT INTO _alai_hb VALUES (1, 1, 42, 1700000000000)");
    for (let round = 1; round <= 4; round += 1) {
      insert(world, 50 * round);
      await standby.followUntil(ROWS, 3 + (50 * round * (round + 1)) / 2);
    }
    world.sql("one", "DELETE FROM marker WHERE seq > 100; VACUUM");
    await standby.followUntil(ROWS, 100);
    expect(readFileSync(standby.file).equals(readFileSync(standby.reference()))).toBe(true);
    const { applied, state, reseeds } = standby.copy.report();
    expect({ state, reseeds, beat: applied?.beat }).toEqual({
      state: "ok",
      reseeds: 0,
      beat: { epoch: 1, seq: 42, at: 1_700_000_000_000 },
    });
    expect(readdirSync(standby.work).sort()).toEqual(["one", "one.state.json"]);
  });

  test("is found again after a new start, and brought forward from where it was", async () => {
    await using world = await World.make();
    const standby = await following(world);
    const before = standby.copy.report().applied;
    await standby.reopen();
    expect(standby.copy.report()).toMatchObject({ state: "ok", applied: { txid: before?.txid, time: before?.time } });
    insert(world, 5);
    await standby.followUntil(ROWS, 8);
    expect(standby.copy.report().reseeds).toBe(0);
  });

  test("readers get checked clones that need no file beside them, keep the one they have open, and cannot write", async () => {
    await using world = await World.make();
    const standby = await following(world);
    await standby.copy.publish();
    const reader = new DatabaseSync(standby.published, { readOnly: true });
    expect(reader.prepare(ROWS).get()).toMatchObject({ "count(*)": 3 });
    insert(world, 10);
    await standby.followUntil(ROWS, 13);
    await until("a newer one to be published", async () => {
      await standby.copy.publish();
      return standby.count(ROWS, standby.published) === 13;
    });
    expect(reader.prepare(ROWS).get()).toMatchObject({ "count(*)": 3 });
    reader.close();
    expect(readdirSync(join(world.folder, "copies"))).toEqual(["one.db"]);
    expect(statSync(standby.published).mode & 0o222).toBe(0);
    const [published, working] = [readFileSync(standby.published), readFileSync(standby.file)];
    expect([...published.subarray(18, 20)]).toEqual([1, 1]);
    published.set([2, 2], 18);
    expect(published.equals(working)).toBe(true);
    const { applied, published: head } = standby.copy.report();
    expect(head).toMatchObject({ txid: applied?.txid });
  });

  test("nothing new is published twice, and a log left beside what readers open is not taken for the new one's", async () => {
    await using world = await World.make();
    const standby = await following(world);
    await standby.copy.publish();
    const first = statSync(standby.published).ino;
    await standby.copy.publish();
    expect(statSync(standby.published).ino).toBe(first);
    writeFileSync(`${standby.published}-journal`, "left by somebody");
    insert(world, 1);
    await standby.followUntil(ROWS, 4);
    await until("a newer one", async () => {
      await standby.copy.publish();
      return statSync(standby.published).ino !== first;
    });
    expect(existsSync(`${standby.published}-journal`)).toBe(false);
    rmSync(standby.published);
    await until("it to be there again", async () => {
      await standby.copy.publish();
      return existsSync(standby.published);
    });
  });

  test("a hole: the copy is put aside and made anew from a snapshot, while readers keep what they have", async () => {
    await using world = await World.make();
    const standby = await following(world, STILL.replace("interval: 1h, retention", "interval: 3s, retention"));
    await standby.copy.publish();
    const reached = standby.copy.report().applied?.txid ?? 0;
    for (let round = 0; round < 3; round += 1) {
      insert(world, 1);
      await until("it to be synced", async () => (await standby.newest()) > reached + round);
    }
    const lost = (await standby.files()).filter(({ min }) => min === reached + 1);
    expect(lost).not.toEqual([]);
    for (const { key } of lost) rmSync(path(world, key));
    expect(standby.count(ROWS, standby.published)).toBe(3);
    await standby.followUntil(ROWS, 6);
    expect(standby.copy.report()).toMatchObject({ state: "ok", reseeds: 1 });
    expect(readdirSync(standby.work).filter((entry) => entry.includes("quarantined"))).toHaveLength(1);
    expect(readFileSync(standby.file).equals(readFileSync(standby.reference()))).toBe(true);
  });

  test("a hole that no snapshot covers: the copy stays, goes as far as it can, and says why", async () => {
    await using world = await World.make();
    const standby = await following(world);
    const reached = standby.copy.report().applied?.txid ?? 0;
    for (let round = 0; round < 3; round += 1) {
      insert(world, 1);
      await until("it to be synced", async () => (await standby.newest()) > reached + round);
    }
    for (const { key } of (await standby.files()).filter(({ min }) => min === reached + 2)) rmSync(path(world, key));
    await standby.follow();
    await standby.follow();
    const { applied, state, note, reseeds } = standby.copy.report();
    expect({ txid: applied?.txid, state, reseeds }).toEqual({ txid: reached + 1, state: "damaged", reseeds: 0 });
    expect(note).toContain(`breaks off after transaction ${reached + 1}`);
    expect(standby.count(ROWS)).toBe(4);
  });

  test("a damaged file is never applied; the copy goes around it where it can, and else waits", async () => {
    await using world = await World.make();
    const standby = await following(world);
    const reached = standby.copy.report().applied?.txid ?? 0;
    insert(world, 20);
    await until("it to be synced", async () => (await standby.newest()) > reached);
    const [file] = (await standby.files()).filter(({ max }) => max === reached + 1);
    const key = path(world, file?.key ?? "");
    const good = join(world.folder, "good.ltx");
    copyFileSync(key, good);
    const bytes = readFileSync(key);
    bytes[300] = (bytes[300] ?? 0) ^ 1;
    writeFileSync(key, bytes);
    await standby.follow();
    await standby.follow();
    expect(standby.count(ROWS)).toBe(3);
    expect(standby.copy.report().note).toMatch(/cannot be used|breaks off/);
    copyFileSync(good, key);
    await standby.followUntil(ROWS, 23);
  });

  test("a replaced database becomes the copy", async () => {
    await using world = await World.make();
    insert(world, 3);
    const before = await world.startLitestream({ settings: STILL });
    const standby = await TestStandby.make(world, "one");
    await standby.followUntil(ROWS, 3);
    await before.kill();
    const other = join(world.folder, "other.db");
    const db = new DatabaseSync(other);
    db.exec(`PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE marker (seq INTEGER PRIMARY KEY, at_ms, filler);
      ${`${INSERT};`.repeat(77)}`);
    db.close();
    for (const sidecar of ["", "-wal", "-shm"]) rmSync(world.file("one") + sidecar, { force: true });
    copyFileSync(other, world.file("one"));
    await world.startLitestream({ settings: STILL });
    insert(world, 1);
    await standby.followUntil(ROWS, 78);
    mustBeSound(standby.file);
  });

  test("another epoch is another history: the copy is made anew from it", async () => {
    await using world = await World.make();
    insert(world, 3);
    const old = await world.startLitestream({ settings: STILL });
    const standby = await TestStandby.make(world, "one");
    await standby.followUntil(ROWS, 3);
    await old.kill();
    insert(world, 4);
    await world.startLitestream({ settings: STILL, epoch: 2 });
    await standby.followUntil(ROWS, 7, 2);
    expect(standby.copy.report()).toMatchObject({ state: "ok", reseeds: 1 });
    expect(readFileSync(standby.file).equals(readFileSync(standby.reference(2)))).toBe(true);
  });

  test("a broken working copy is noticed before readers get it, put aside, and made anew", async () => {
    await using world = await World.make();
    const standby = await following(world);
    insert(world, 300);
    await standby.followUntil(ROWS, 303);
    const bytes = readFileSync(standby.file);
    bytes.fill(0xee, 4096 * 3, 4096 * 5);
    writeFileSync(standby.file, bytes);
    await standby.copy.publish();
    expect(existsSync(standby.published)).toBe(false);
    expect(standby.copy.report()).toMatchObject({ state: "quarantined", applied: null, reseeds: 1 });
    await standby.followUntil(ROWS, 303);
    await until("it to be published", async () => {
      await standby.copy.publish();
      return existsSync(standby.published);
    });
    mustBeSound(standby.published);
  });

  test("nothing in storage is said, not guessed", async () => {
    await using world = await World.make();
    const standby = await TestStandby.make(world, "one");
    await standby.follow();
    expect(standby.copy.report()).toMatchObject({
      state: "missing",
      applied: null,
      note: "Storage has nothing of one.",
    });
  });
});
