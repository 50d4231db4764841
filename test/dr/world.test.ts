import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filesByReplica, newestTxid } from "../../src/dr/ltx/name.ts";
import { readManifest } from "../../src/dr/manifest/read.ts";
import { Azurite } from "./azurite.ts";
import { until, World } from "./world.ts";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await Azurite.start();
});
afterAll(() => azurite[Symbol.asyncDispose]());

it.each(["a folder", "Azurite"])(
  "a real Litestream's replica in %s is listed with its levels and times",
  async (kind) => {
    await using world = await World.make({
      databases: ["one", "two"],
      prefix: "fleet",
      azurite: kind === "Azurite" ? azurite : undefined,
    });
    const storage = await world.openStorage();
    const began = Date.now();
    await world.startWriter();
    const litestream = await world.startLitestream();
    const look = async () => filesByReplica(await storage.list("e1/"), "e1/");
    const replicas = await until("a compacted file and a snapshot of each", async () => {
      const found = await look();
      const isReady = (name: string) =>
        [0, 1, 9].every((level) => found.get(name)?.some((file) => file.level === level));
      return isReady("one") && isReady("two") ? found : null;
    });
    expect([...replicas.keys()].sort()).toEqual(["one", "two"]);
    for (const file of replicas.get("one") ?? []) {
      expect(file.key).toMatch(/^e1\/one\/ltx\/\d\/[0-9a-f]{16}-[0-9a-f]{16}\.ltx$/);
      expect(file.size).toBeGreaterThan(100);
      // Of the header, in ms: not older than the world, not from the future.
      expect(file.time).toBeGreaterThanOrEqual(began - 1000);
      expect(file.time).toBeLessThanOrEqual(Date.now());
    }
    const before = newestTxid(replicas.get("one") ?? []);
    await until("a newer TXID", async () => newestTxid((await look()).get("one") ?? []) > before);
    await litestream.kill();
    expect(world.acknowledged("one").length).toBeGreaterThan(0);
    expect(world.acknowledged("one").map(({ seq }) => seq)).toEqual(world.acknowledged("one").map((_, at) => at + 1));
  },
);

it("the manifest of a world is one that alai takes", async () => {
  await using world = await World.make({ databases: ["one", "two"] });
  const manifest = readManifest(world.context, world.writeManifest({ rpo: "9s" }));
  expect(manifest.databases.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(manifest.tiers[0]?.rpo).toBe(9000);
  expect(manifest.storage).toEqual(world.storage);
  expect(readFileSync(manifest.file, "utf8")).toContain("anvil");
});
