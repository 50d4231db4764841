import { join } from "node:path";
import { expect, test } from "vitest";
import { Checker } from "../../../src/dr/copy/check.ts";
import { newestTxid } from "../../../src/dr/ltx/name.ts";
import { listReplicas } from "../../../src/dr/restore/replicas.ts";
import { restoreDatabase } from "../../../src/dr/restore/restore.ts";
import { chooseTarget } from "../../../src/dr/restore/target.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { Azurite } from "../azurite.ts";
import { until, World } from "../world.ts";

test("out of Azure Blob: the newest, and the moments that its listing has, large files piece by piece", async () => {
  await using azurite = await Azurite.start();
  await using world = await World.make({ azurite });
  const litestream = await world.startLitestream();
  world.sql("one", "CREATE TABLE big (body BLOB); INSERT INTO big VALUES (randomblob(3000000))");
  const storage = await world.openStorage(60_000);
  const files = async () => (await listReplicas(storage)).get("one")?.[0]?.files ?? [];
  await until("a large file", async () => (await files()).some(({ size }) => size > 3_000_000));
  const before = newestTxid(await files());
  world.sql("one", "INSERT INTO marker (at_ms, filler) VALUES (1, 'last')");
  await until("what came later", async () => newestTxid(await files()) > before);
  await litestream.kill();
  const listed = await files();
  const earlier = Math.max(...listed.filter(({ max }) => max === before).map(({ time }) => time));
  expect(await rowsOf(world, storage, listed, {})).toBe(1);
  expect(await rowsOf(world, storage, listed, { at: earlier })).toBe(0);
});

let count = 0;

async function rowsOf(
  world: World,
  storage: Storage,
  files: Parameters<typeof chooseTarget>[1],
  wish: { at?: number },
): Promise<number | null | undefined> {
  const checker = new Checker();
  try {
    const target = chooseTarget("one", files, wish);
    const out = join(world.folder, `restored-${++count}.db`);
    const check = { mode: "full", countRows: true } as const;
    const { checked } = await restoreDatabase({ name: "one", storage, target, out, checker, check });
    return checked.tables.find(({ name }) => name === "marker")?.rows;
  } finally {
    await checker.close();
  }
}
