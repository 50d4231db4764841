import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liftOver, liftsOver } from "../../../src/dr/agent/over-hole.ts";
import { filesByReplica, hexTxid, type LtxFile, newestTxid } from "../../../src/dr/ltx/name.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { until, World } from "../world.ts";

/** Files by level: `"1-4 5"` are two of them. */
function replica(levels: Readonly<Record<number, string>>): LtxFile[] {
  return Object.entries(levels).flatMap(([level, text]) =>
    text.split(" ").map((name) => {
      const [min = 0, max = min] = name.split("-").map(Number);
      const key = `e1/one/ltx/${level}/${hexTxid(min)}-${hexTxid(max)}.ltx`;
      return { key, level: Number(level), min, max, size: 1, time: 0 };
    }),
  );
}

const lifts = (levels: Readonly<Record<number, string>>) =>
  liftsOver(replica(levels)).map(({ from, key }) => `${from.min} to ${/ltx\/(\d)/.exec(key)?.[1]}`);

describe("what is lifted over a hole", () => {
  it("is nothing where there is none, whatever retention has removed", () => {
    expect(lifts({ 0: "1 2 3" })).toEqual([]);
    expect(lifts({ 0: "7 8 9", 1: "4-6 7-8", 2: "1-6", 9: "1-5" })).toEqual([]);
    expect(lifts({ 0: "40 41", 9: "1-40" })).toEqual([]);
  });

  it("is what is before it on its level and not on the next, up to the top", () => {
    expect(lifts({ 0: "2 3 5 6", 1: "1-2", 2: "1-2", 3: "1-2" })).toEqual(["3 to 1", "3 to 2", "3 to 3"]);
    expect(lifts({ 0: "1 3 4" })).toEqual(["1 to 1", "1 to 2", "1 to 3"]);
  });

  it("is what leads to it on other levels too: the gap comes up to them with the next compaction", () => {
    expect(lifts({ 0: "9 10", 1: "1-4 5-6", 2: "1-4" })).toEqual(["5 to 2", "1 to 3", "5 to 3"]);
  });

  it("ends at the last of several holes", () => {
    expect(lifts({ 0: "2 4 6", 1: "1", 2: "1", 3: "1" })).toEqual(
      [1, 2, 3].flatMap((level) => [`2 to ${level}`, `4 to ${level}`]),
    );
  });
});

describe("the real Litestream", () => {
  let world: World;
  let storage: Storage;
  beforeAll(async () => {
    world = await World.make();
    storage = await world.openStorage();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const files = async () => filesByReplica(await storage.list("e1/"), "e1/").get("one") ?? [];
  const compacted = async () => newestTxid((await files()).filter(({ level }) => level === 1));
  // Seldom enough that several files wait for it.
  const settings = "levels: [{interval: 3s}, {interval: 10s}]\nlogging: {level: info}\n";

  it("compacts nothing any more behind a hole, and goes on when what is before it was lifted", async () => {
    const broken = await world.startLitestream({ settings });
    await world.startWriter({ rate: 10 });
    await until("a hole that is in its way", async () => {
      const waiting = (await files()).filter(({ level }) => level === 0);
      const reached = await compacted();
      const [, , lost] = waiting.filter(({ min }) => min > reached);
      // It may be put together at the same moment: then the next one is taken.
      if (lost) await storage.remove(lost.key);
      return /non-contiguous transaction ids/.test(broken.output);
    });
    await broken.kill("SIGTERM");
    expect(await liftOver(storage, await files())).toBeGreaterThan(0);
    expect(liftsOver(await files())).toEqual([]);
    const before = await compacted();
    await world.startLitestream({ settings });
    await until("a compaction behind the hole", async () => (await compacted()) > before + 1);
  });
});
