import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseStatus, Status } from "../../../src/dr/status/status.ts";
import { Azurite } from "../azurite.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// One world for all: storage is broken in one way after the other, and has to be well again after each, without a hand.
let azurite: Azurite;
let world: World;
let fleet: Fleet;
let forge: TestProcess;
beforeAll(async () => {
  azurite = await Azurite.start();
  world = await World.make({ databases: ["one", "two"], azurite, prefix: "fleet" });
  world.create("plain");
  fleet = await Fleet.make(world, { plain: ["plain"], rpo: "8s" });
  await world.startWriter({ databases: ["one", "plain"], rate: 2 });
  fleet.start("anvil");
  forge = fleet.start("forge");
});
afterAll(async () => {
  azurite?.thaw();
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await azurite?.[Symbol.asyncDispose]();
});

const isGreen = ({ level }: DatabaseStatus) => level === "ok";
const well = () => fleet.untilStatus("all green", (databases, { level }) => level === "ok" && databases.every(isGreen));

/** While storage is broken nothing may be green; nor when the limit is over. */
async function neverGreen(what: string, over: (status: Status) => boolean): Promise<void> {
  await until(what, async () => {
    const status = await fleet.status();
    expect(status.level).not.toBe("ok");
    expect(status.databases.filter(isGreen)).toEqual([]);
    return over(status);
  });
}

const isBreached = ({ level }: Status) => level === "breached";
/** Of both agents, within their interval. */
async function agentsSay(): Promise<void> {
  for (const host of ["anvil", "forge"] as const)
    await until(`${host} says that storage is in trouble`, async () => (await fleet.report(host))?.storageTrouble);
}

describe("status tells the truth about storage", () => {
  it("that is well: a heartbeat that came back proves what has one, the position what has none", async () => {
    await well();
    const { databases } = await fleet.untilStatus(
      "its proofs",
      (all) => all.map(({ evidence }) => evidence).join("") === "AAB",
    );
    for (const { rpo, limit } of databases) expect(rpo).toBeLessThanOrEqual(limit);
  });

  it("that is frozen: said at once, breached when the limit is over, well again by itself", async () => {
    azurite.freeze();
    await neverGreen("breached", isBreached);
    await agentsSay();
    azurite.thaw();
    await well();
  });

  it("that refuses (403)", async () => {
    azurite.gate.behave = () => ({ status: 403, body: "<Error><Code>AuthorizationFailure</Code></Error>" });
    await neverGreen("said", ({ storage }) => storage.trouble !== null);
    await agentsSay();
    expect((await fleet.report("anvil"))?.storageTrouble?.trouble).toBe("refused");
    azurite.gate.reset();
    await well();
  });

  it("that is gone, and comes back", async () => {
    await azurite.stop();
    await neverGreen("said", ({ storage }) => storage.trouble !== null);
    await agentsSay();
    await azurite.restart();
    await well();
  });

  it("that takes what it is given for listings only: Litestream's writes fail, and it would still call itself replicating", async () => {
    azurite.gate.behave = ({ kind }) => (kind === "write" ? { status: 503 } : null);
    await fleet.untilStatus("what is not shipped any more is not green", (databases) =>
      databases.every(({ name, level }) => name === "two" || level !== "ok"),
    );
    await until("the watchdog", async () =>
      (await fleet.report("anvil"))?.alarms.some(
        ({ kind, subject }) => kind === "shipping_stalled" && subject === "one",
      ),
    );
    azurite.gate.reset();
    await well();
  });
});

describe("status tells the truth about hosts", () => {
  it("without the standby: the position proves what it can, and the copy is missed", async () => {
    await forge.kill("SIGKILL");
    const status = await fleet.untilStatus("no copy", (databases) =>
      databases.every(({ evidence }) => evidence === "B"),
    );
    expect(status.level).toBe("degraded");
    const levels = new Map(status.databases.map(({ name, level }) => [name, level]));
    expect(levels.get("one")).toBe("degraded");
    expect(levels.get("plain")).toBe("ok");
    forge = fleet.start("forge");
    await well();
  });

  it("a copy that stands still while storage moves is given up by the watchdog and made anew, counted", async () => {
    const before = await fleet.says("forge", "one", "a copy", ({ applied }) => applied !== null);
    // Nothing that the copy repairs by itself: there is no file to write to.
    const work = join(world.folder, "standby", "copies", "one");
    rmSync(work);
    mkdirSync(work);
    await forge.says(/"kind":"follower_stalled","subject":"one"/);
    const after = await fleet.says(
      "forge",
      "one",
      "moves again",
      ({ state, applied }) => state === "ok" && (applied?.txid ?? 0) > (before.applied?.txid ?? 0),
    );
    expect(after.reseeds).toBe(before.reseeds + 1);
    await forge.says(/"kind":"follower_stalled","subject":"one","message":"calm again"/);
    await well();
  });
});
