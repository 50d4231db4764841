import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { words } from "../copy/images.ts";
import { LoneStandby } from "../copy/lone-standby.ts";

const NAMES = ["bad", "good"];

/** Both are published, and the standby has ended. */
async function ended(world: LoneStandby): Promise<void> {
  for (const name of NAMES) await world.ship(name, 1);
  for (const name of NAMES) await world.until(name, "published", ({ published }) => published?.txid === 1);
  await world.standby.stop(5000);
}

function breakIt(world: LoneStandby): void {
  rmSync(world.working("bad"));
  mkdirSync(world.working("bad"));
}

test("one working copy that cannot be opened is said, made anew by itself, and keeps no other from following", async () => {
  await using world = new LoneStandby(NAMES);
  await ended(world);
  breakIt(world);
  await world.again();
  expect(world.report("bad")).toMatchObject({
    ...{ state: "damaged", applied: null, published: { txid: 1 }, reseeds: 0 },
    note: expect.stringMatching(/^Its working copy cannot be opened: unable to open database file/),
  });
  for (const name of NAMES) await world.ship(name, 2);
  for (const name of NAMES) await world.until(name, "published", ({ published }) => published?.txid === 2);
  expect(world.report("bad")).toMatchObject({ state: "ok", reseeds: 1, note: null });
  expect(words(world.published("bad"))).toHaveLength(2);
});

test("where nothing can be opened for now it is tried again after a while, in the same place", async () => {
  await using world = new LoneStandby(NAMES);
  await ended(world);
  breakIt(world);
  const taken = join(world.folder, "forge", "copies", "again-1");
  writeFileSync(taken, "a file");
  await world.again();
  for (let round = 0; round < 3; round += 1) {
    world.ahead += 31_000;
    await world.until("bad", "damaged", ({ state }) => state === "damaged");
  }
  expect(world.report("bad")).toMatchObject({ reseeds: 1, published: { txid: 1 } });
  await world.ship("good", 2);
  await world.until("good", "published", ({ published }) => published?.txid === 2);
  rmSync(taken);
  world.ahead += 31_000;
  await world.until("bad", "well again", ({ state, applied }) => state === "ok" && applied?.txid === 1);
});

test("one that is taken away while it is followed is made anew at the next change", async () => {
  await using world = new LoneStandby(["good"]);
  await world.ship("good", 1);
  await world.until("good", "published", ({ published }) => published?.txid === 1);
  rmSync(world.working("good"));
  await world.ship("good", 2);
  await world.until("good", "published", ({ published }) => published?.txid === 2);
  expect(world.report("good")).toMatchObject({ state: "ok", reseeds: 1 });
});
