import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { confirmedUntil } from "../../../src/dr/heartbeat/confirm.ts";
import { hexTxid } from "../../../src/dr/ltx/name.ts";
import type { DatabaseReport, HostReport } from "../../../src/dr/report.ts";
import { LoneStandby } from "../copy/lone-standby.ts";
import { until } from "../world.ts";

const BEAT = { epoch: 1, seq: 7, at: 1_700_000_000_000 };

/** The primary's agent says what it has committed until a moment; nothing has come after that heartbeat. */
function confirm({ standby }: LoneStandby, txid: number, time: number, seq = BEAT.seq): void {
  const committed = { txid, time, beat: { ...BEAT, seq }, seenAt: time };
  standby.confirm({ epoch: 1, databases: [{ name: "a", committed } as DatabaseReport] } as unknown as HostReport);
}

/** Storage goes back: its newest transactions are gone. */
function lose(world: LoneStandby, ...txids: readonly number[]): void {
  for (const txid of txids) rmSync(join(world.folder, "storage/e1/a/ltx/0", `${hexTxid(txid)}-${hexTxid(txid)}.ltx`));
}

/** A copy of three transactions, of which the primary has said that they are all. */
async function proven(): Promise<LoneStandby> {
  const world = new LoneStandby(["a"]);
  for (const txid of [1, 2, 3]) await world.ship("a", txid, txid, txid === 3 ? BEAT.seq : 5);
  await world.until("a", "the newest", ({ applied }) => applied?.txid === 3);
  confirm(world, 3, 1000);
  return world;
}

test("what the primary confirms counts for what comes after it, and over a restart", async () => {
  await using world = await proven();
  expect(world.report("a").proven).toEqual({ until: 1000, txid: 3 });
  world.standby.keep();
  await world.again();
  expect(world.report("a").proven).toEqual({ until: 1000, txid: 3 });
  await world.ship("a", 4, 4, BEAT.seq + 1);
  await world.until("a", "the newest", ({ applied }) => applied?.txid === 4);
  // The one that has not heard of it yet says less, and takes nothing back.
  confirm(world, 3, 900);
  expect(world.report("a").proven).toEqual({ until: 1000, txid: 3 });
  confirm(world, 4, 2000, BEAT.seq + 1);
  expect(world.report("a").proven).toEqual({ until: 2000, txid: 4 });
});

test("when storage goes back nothing is proven of what it lost, at once, over a restart, and when it is as far again", async () => {
  await using world = await proven();
  lose(world, 2, 3);
  await world.list();
  expect(world.report("a").proven).toBeNull();
  await world.until("a", "back", ({ applied, published }) => applied?.txid === 1 && published?.txid === 1);
  world.standby.keep();
  await world.again();
  await world.list();
  expect(world.report("a")).toMatchObject({ applied: { txid: 1 }, proven: null });
  for (const txid of [2, 3, 4]) await world.ship("a", txid, 1, 5);
  await world.until("a", "as far again", ({ applied }) => applied?.txid === 4);
  expect(world.report("a").proven).toBeNull();
});

test("an agent that was killed before it wrote that down does not count it either", async () => {
  await using world = await proven();
  world.standby.keep();
  lose(world, 2, 3);
  await world.again();
  await world.until("a", "back", ({ applied }) => applied?.txid === 1);
  expect(world.report("a").proven).toBeNull();
  for (const txid of [2, 3]) await world.ship("a", txid, 1, 5);
  await world.until("a", "as far again", ({ applied }) => applied?.txid === 3);
  expect(world.report("a").proven).toBeNull();
});

test("storage that has nothing of it any more proves nothing, although the copy is still there", async () => {
  await using world = await proven();
  lose(world, 1, 2, 3);
  await world.list();
  expect(world.report("a")).toMatchObject({ applied: { txid: 3 }, shipped: null, proven: null });
});

test("while a copy is made anew nothing is proven; what was is again when it has all of that", async () => {
  await using world = await proven();
  const giving = world.standby.reseed("a");
  expect(world.report("a")).toMatchObject({ applied: null, proven: null });
  await giving;
  await world.until("a", "all of it", ({ applied }) => applied?.txid === 3);
  expect(world.report("a").proven).toEqual({ until: 1000, txid: 3 });
});

test("the primary's word is of the very heartbeat that the copy has, and of no more than the copy has", () => {
  const head = (txid: number, seq: number, time = 9) => ({ txid, beat: { ...BEAT, seq }, time, seenAt: 0 });
  expect(confirmedUntil(head(3, 7), head(3, 7))).toEqual({ until: 9, txid: 3 });
  expect(confirmedUntil(head(4, 8), head(3, 7))).toEqual({ until: 9, txid: 3 });
  expect(confirmedUntil(head(2, 7), head(3, 7))).toBeNull();
  expect(confirmedUntil(head(3, 6), head(3, 7))).toBeNull();
  expect(confirmedUntil(null, head(3, 7))).toBeNull();
});

test("a copy that has caught up since the last listing is not behind, however long the next one takes", async () => {
  await using world = await proven();
  await world.ship("a", 4, 4, BEAT.seq);
  await world.list();
  const watched = () => world.standby.databases.find(({ database }) => database.name === "a");
  // Nothing is listed meanwhile.
  await until("the copy to catch up", () => watched()?.report.applied?.txid === 4);
  expect(watched()?.behindSince).toBeNull();
});
