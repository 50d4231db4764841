import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseStatus, Status } from "../../../src/dr/status/status.ts";
import { Azurite } from "../azurite.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

/** A fleet of two agents, and writers that go on. */
class Stage implements AsyncDisposable {
  readonly world: World;
  readonly fleet: Fleet;
  forge: TestProcess;

  private constructor(world: World, fleet: Fleet, forge: TestProcess) {
    this.world = world;
    this.fleet = fleet;
    this.forge = forge;
  }

  /** @param azurite its storage; null: a folder. @param onFolder told of that before anything is in it. */
  static async make(azurite: Azurite | null, onFolder: (path: string) => void = () => undefined): Promise<Stage> {
    const world = await World.make({ databases: ["one", "two"], ...(azurite && { azurite, prefix: "fleet" }) });
    world.create("plain");
    if (world.storage.type === "file") onFolder(world.storage.path);
    const fleet = await Fleet.make(world, { plain: ["plain"], rpo: "8s" });
    await world.startWriter({ databases: ["one", "plain"], rate: 2 });
    fleet.start("anvil");
    return new Stage(world, fleet, fleet.start("forge"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

const isGreen = ({ level }: DatabaseStatus) => level === "ok";
const isBreached = ({ level }: Status) => level === "breached";

function well(fleet: Fleet): Promise<Status> {
  return fleet.untilStatus("all green", (databases, { level }) => level === "ok" && databases.every(isGreen));
}

/** While storage is broken nothing may be green; nor when the limit is over. */
async function neverGreen(fleet: Fleet, what: string, over: (status: Status) => boolean): Promise<Status> {
  return until(what, async () => {
    const status = await fleet.status();
    expect(status.level).not.toBe("ok");
    expect(status.databases.filter(isGreen)).toEqual([]);
    return over(status) ? status : null;
  });
}

/** Both agents, within their interval. */
async function agentsSay(fleet: Fleet, trouble?: string): Promise<void> {
  for (const host of ["anvil", "forge"] as const)
    await until(`${host} says that storage is in trouble`, async () => {
      const said = (await fleet.report(host))?.storageTrouble;
      return trouble === undefined ? said : said?.trouble === trouble;
    });
}

/** What is written is not shipped any more: nothing of it is green, and the watchdog says so. What was idle may stay proven. */
async function notShipped(fleet: Fleet): Promise<void> {
  await fleet.untilStatus("what is not shipped any more is not green", (databases) =>
    databases.every(({ name, level }) => name === "two" || level !== "ok"),
  );
  await until("the watchdog", async () => {
    const alarms = (await fleet.report("anvil"))?.alarms ?? [];
    return alarms.some(({ kind, subject }) => kind === "shipping_stalled" && subject === "one");
  });
  // However long it lasts: what is over its limit is not green, whatever Litestream says of itself.
  for (const { rpo, limit, level } of (await fleet.status()).databases)
    if (rpo === null || rpo > limit) expect(level).not.toBe("ok");
}

/** In one world one thing after the other, as each leaves it well again. */
const IN_TURN = { concurrent: false } as const;

// Each world has one storage, broken in one way after the other, and is well again after each without a hand. Most of it is
// waiting, so the worlds are all at it at once.
describe("status tells the truth about", () => {
  describe.concurrent("storage of a service", () => {
    let stage: Stage;
    let azurite: Azurite;
    let fleet: Fleet;
    beforeAll(async () => {
      azurite = await Azurite.start();
      stage = await Stage.make(azurite);
      ({ fleet } = stage);
    });
    afterAll(async () => {
      azurite?.thaw();
      await stage?.[Symbol.asyncDispose]();
      await azurite?.[Symbol.asyncDispose]();
    });

    it(
      "that is well: a heartbeat that came back proves what has one, the position what has none",
      IN_TURN,
      async () => {
        await well(fleet);
        const { databases } = await fleet.untilStatus(
          "its proofs",
          (all) => all.map(({ evidence }) => evidence).join("") === "AAB",
        );
        for (const { rpo, limit } of databases) expect(rpo).toBeLessThanOrEqual(limit);
      },
    );

    it("that is frozen: said at once, breached when the limit is over, well again by itself", IN_TURN, async () => {
      azurite.freeze();
      await neverGreen(fleet, "breached", isBreached);
      await agentsSay(fleet);
      azurite.thaw();
      await well(fleet);
    });

    it("that refuses (403)", IN_TURN, async () => {
      azurite.gate.behave = () => ({ status: 403, body: "<Error><Code>AuthorizationFailure</Code></Error>" });
      await neverGreen(fleet, "said", ({ storage }) => storage.trouble !== null);
      await agentsSay(fleet, "refused");
      azurite.gate.reset();
      await well(fleet);
    });

    it("that is gone, and comes back", IN_TURN, async () => {
      await azurite.stop();
      await neverGreen(fleet, "said", ({ storage }) => storage.trouble !== null);
      await agentsSay(fleet);
      await azurite.restart();
      await well(fleet);
    });
  });

  describe.concurrent("storage of a service that answers", () => {
    let stage: Stage;
    let azurite: Azurite;
    let fleet: Fleet;
    beforeAll(async () => {
      azurite = await Azurite.start();
      stage = await Stage.make(azurite);
      ({ fleet } = stage);
    });
    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
      await azurite?.[Symbol.asyncDispose]();
    });

    it("after four seconds: said at once, of both agents too, and well again by itself", IN_TURN, async () => {
      await well(fleet);
      azurite.gate.behave = () => ({ delay: 4000 });
      const { storage } = await neverGreen(fleet, "said", ({ storage: { trouble } }) => trouble !== null);
      expect(storage.trouble).toContain("did not answer within 3 s");
      await agentsSay(fleet, "slow");
      await neverGreen(fleet, "still", () => true);
      azurite.gate.reset();
      await well(fleet);
    });

    it(
      "that it is full (507), and lists what it has: Litestream would still call itself replicating",
      IN_TURN,
      async () => {
        azurite.gate.behave = ({ kind }) => (kind === "write" ? { status: 507 } : null);
        await notShipped(fleet);
        azurite.gate.reset();
        await well(fleet);
      },
    );
  });

  describe.concurrent("a folder on a disk of its own", () => {
    let stage: Stage;
    let mounted = "";
    beforeAll(async () => {
      stage = await Stage.make(null, (path) => {
        const words = ["-t", "tmpfs", "-o", "size=16m", "tmpfs", path];
        const { status, stderr } = spawnSync("mount", words, { encoding: "utf8" });
        if (status !== 0 && process.env.CI) throw new Error(`cannot mount: ${stderr}`);
        if (status === 0) mounted = path;
      });
    });
    afterAll(async () => {
      await stage?.fleet[Symbol.asyncDispose]();
      if (mounted !== "") spawnSync("umount", ["-l", mounted]);
      await stage?.world[Symbol.asyncDispose]();
    });

    it(
      "that is full: what is written is not green, the watchdog fires, and room is all it needs",
      IN_TURN,
      async ({ skip }) => {
        if (mounted === "") skip("needs root on Linux");
        const { fleet } = stage;
        await well(fleet);
        const filler = join(mounted, "filler");
        expect(() => writeFileSync(filler, Buffer.alloc(17 * 2 ** 20))).toThrow("ENOSPC");
        await notShipped(fleet);
        rmSync(filler);
        await well(fleet);
      },
    );
  });

  describe.concurrent("hosts", () => {
    let stage: Stage;
    let fleet: Fleet;
    beforeAll(async () => {
      stage = await Stage.make(null);
      ({ fleet } = stage);
    });
    afterAll(() => stage?.[Symbol.asyncDispose]());

    it("without the standby: the position proves what it can, and the copy is missed", IN_TURN, async () => {
      await well(fleet);
      await stage.forge.kill("SIGKILL");
      const status = await fleet.untilStatus("no copy", (databases) =>
        databases.every(({ evidence }) => evidence === "B"),
      );
      expect(status.level).toBe("degraded");
      const levels = new Map(status.databases.map(({ name, level }) => [name, level]));
      expect(levels.get("one")).toBe("degraded");
      expect(levels.get("plain")).toBe("ok");
      stage.forge = fleet.start("forge");
      await well(fleet);
    });

    it(
      "a copy that stands still while storage moves is given up by the watchdog and made anew, counted",
      IN_TURN,
      async () => {
        const before = await fleet.says("forge", "one", "a copy", ({ applied }) => applied !== null);
        // Nothing that the copy repairs by itself: there is no file to write to.
        const work = join(stage.world.folder, "standby", "copies", "one");
        // The agent that follows makes the file anew at any moment.
        await until("a folder is in its place", () => {
          rmSync(work, { force: true });
          try {
            mkdirSync(work);
            return true;
          } catch {
            return false;
          }
        });
        await stage.forge.says(/"kind":"follower_stalled","subject":"one"/);
        const after = await fleet.says(
          "forge",
          "one",
          "moves again",
          ({ state, applied }) => state === "ok" && (applied?.txid ?? 0) > (before.applied?.txid ?? 0),
        );
        expect(after.reseeds).toBeGreaterThan(before.reseeds);
        await stage.forge.says(/"kind":"follower_stalled","subject":"one","message":"calm again"/);
        await well(fleet);
      },
    );
  });
});
