import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { words } from "../copy/images.ts";
import { LoneStandby } from "../copy/lone-standby.ts";
import { until } from "../world.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];

/** Everything below a folder, with what is in it. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name)).toString("hex")]),
  );
}

/** All that is published is the newest, at this transaction. */
async function reached(world: LoneStandby, name: string, txid: number): Promise<void> {
  await world.until(name, `published at ${txid}`, ({ published, applied }) =>
    [published?.txid, applied?.txid].every((at) => at === txid),
  );
}

/** What hung goes on to its end, whatever that is: it has nothing to do but with this disk. */
async function untilItEnded(world: LoneStandby): Promise<void> {
  world.storage.release();
  await until("what hung to go on", () => world.storage.held === 0);
  for (let turn = 0; turn < 50; turn += 1) await world.storage.list("e1/");
}

test.each([
  ["a change", 1],
  ["a fresh restore", 0],
])("a copy that hangs in %s when it is given up does nothing any more, whenever it comes back", async (_, before) => {
  await using world = new LoneStandby(["a"]);
  if (before > 0) {
    await world.ship("a", before);
    await reached(world, "a", before);
  }
  world.storage.holding = true;
  await world.ship("a", before + 1);
  await world.list();
  await until("it to hang", () => world.storage.held > 0);
  world.storage.holding = false;
  await world.standby.reseed("a");
  await world.ship("a", before + 2);
  await reached(world, "a", before + 2);
  const [then, file] = [contents(join(world.folder, "forge", "copies")), statSync(world.published("a"))];
  await untilItEnded(world);
  expect(contents(join(world.folder, "forge", "copies"))).toEqual(then);
  expect(statSync(world.published("a"))).toEqual(file);
  expect(readdirSync(join(world.folder, "copies"))).toEqual(["a.db"]);
  await world.ship("a", before + 3);
  await reached(world, "a", before + 3);
  expect(words(world.published("a"))).toHaveLength(before + 3);
});

test("copies that hang keep no other out of storage once they are given up", async () => {
  await using world = new LoneStandby(NAMES);
  for (const name of NAMES) await world.ship(name, 1);
  for (const name of NAMES) await reached(world, name, 1);
  world.storage.holding = true;
  for (const name of NAMES) await world.ship(name, 2);
  await world.list();
  await until("six to hang", () => world.storage.held === 6);
  world.storage.holding = false;
  const [waiting = ""] = NAMES.filter(
    (name) => !world.standby.databases.find((one) => one.database.name === name)?.working,
  );
  await world.standby.reseed("a");
  await world.until(waiting, "published", ({ published }) => published?.txid === 2);
  await reached(world, "a", 2);
});

test("while a copy is given up that is said; a standby that ends meanwhile begins no new one", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await reached(world, "a", 1);
  const giving = world.standby.reseed("a");
  expect(world.report("a")).toMatchObject({ state: "seeding", applied: null, published: { txid: 1 }, reseeds: 1 });
  await world.standby.stop(5000);
  await giving;
  expect(readdirSync(join(world.folder, "forge", "copies"))).not.toContain("again-1");
  await world.again();
  await reached(world, "a", 1);
});

test("a state file that cannot be written keeps no copy from being made anew", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await reached(world, "a", 1);
  // The place of the next one is taken by something else.
  const taken = join(world.folder, "forge", "copies", "again-1");
  writeFileSync(taken, "a file");
  await world.standby.reseed("a");
  expect(world.report("a")).toMatchObject({ state: "damaged", published: { txid: 1 } });
  rmSync(taken);
  world.ahead += 31_000;
  await world.ship("a", 2);
  await reached(world, "a", 2);
});

test("only the newest copy that was given up is kept, and nothing else of it", async () => {
  await using world = new LoneStandby(["a", "a.b"]);
  for (const name of ["a", "a.b"]) await world.ship(name, 1);
  for (const name of ["a", "a.b"]) await reached(world, name, 1);
  mkdirSync(`${world.working("a")}.quarantined-5`);
  writeFileSync(`${world.working("a")}.quarantined-5-wal`, "");
  for (let generation = 1; generation <= 2; generation += 1) {
    await world.standby.reseed("a");
    await world.ship("a", generation + 1);
    await reached(world, "a", generation + 1);
  }
  const left = Object.keys(contents(join(world.folder, "forge", "copies"))).map((path) => path.split("/copies/")[1]);
  expect(left.sort()).toEqual([
    ...["a.b", "a.b.published.json", "a.b.state.json", "a.given-up", "a.given-up.state.json", "a.published.json"],
    ...["again-2/a", "again-2/a.state.json"],
  ]);
  expect(words(join(world.folder, "forge", "copies", "a.given-up"))).toHaveLength(2);
});

test("a copy that only lacks room is not given up: there is none for another one", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await reached(world, "a", 1);
  await world.ship("a", 2);
  for (const failure of [
    Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }),
    new Error("database or disk is full"),
  ]) {
    world.storage.failure = failure;
    await world.until("a", failure.message, ({ note }) => note === failure.message);
    await world.standby.reseed("a");
    expect(world.report("a")).toMatchObject({ state: "ok", applied: { txid: 1 }, reseeds: 0 });
  }
  expect(world.log).toContain("the copy is kept: there is no room for another one");
  world.storage.failure = null;
  await reached(world, "a", 2);
  expect(world.report("a")).toMatchObject({ note: null, reseeds: 0 });
});
