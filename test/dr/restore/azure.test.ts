import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checker } from "../../../src/dr/copy/check.ts";
import { newestTxid } from "../../../src/dr/ltx/name.ts";
import { readProofs } from "../../../src/dr/prove/history.ts";
import { listReplicas } from "../../../src/dr/restore/replicas.ts";
import { restoreDatabase } from "../../../src/dr/restore/restore.ts";
import { chooseTarget } from "../../../src/dr/restore/target.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { Azurite } from "../azurite.ts";
import type { Behaviour } from "../gate.ts";
import { TestProcess } from "../process.ts";
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

/** What storage does in place of giving a file; how a command ends then, and what it says. */
const MISDEEDS: readonly (readonly [misdeed: Behaviour, exit: number, said: RegExp])[] = [
  [{ status: 403, body: "<Error><Code>AuthorizationFailure</Code></Error>" }, 4, /refuses these credentials \(403/],
  [{ status: 503, body: "<Error><Code>ServerBusy</Code></Error>" }, 69, /asks for fewer requests \(503/],
  [{ cutAfter: 5 }, 69, /cannot be reached/],
];

test("storage that refuses, is busy or breaks off: one sentence, the right exit code, nothing left, and no failed proof", async () => {
  await using azurite = await Azurite.start();
  await using world = await World.make({ azurite });
  const litestream = await world.startLitestream();
  const storage = await world.openStorage();
  await until("a file", async () => (await listReplicas(storage)).get("one"));
  await litestream.kill();
  const env = { ...process.env, ...world.env, ALAI_DR_MANIFEST: world.writeManifest() };
  const alai = async (...words: string[]) => {
    const run = new TestProcess(process.execPath, ["--", BIN, "dr", ...words], env);
    await until("its end", () => run.isOver && run.child.stdout?.readableEnded && run.child.stderr?.readableEnded);
    return { exit: run.child.exitCode, output: run.output };
  };
  const place = join(world.folder, "place");
  const state = join(world.folder, "standby");
  for (const [misdeed, exit, said] of MISDEEDS) {
    azurite.gate.behave = ({ path }) => (path.includes(".ltx") ? misdeed : null);
    const [restored, proven] = await Promise.all([alai("restore", "one", "-o", join(place, "one.db")), alai("prove")]);
    expect(restored).toEqual({ exit, output: expect.stringMatching(said) });
    expect(proven).toEqual({ exit, output: expect.stringMatching(said) });
    expect([readdirSync(place), readdirSync(state)]).toEqual([[], ["prove.db"]]);
    expect(readProofs(state)).toEqual({ good: [], failed: [] });
  }
  azurite.gate.behave = null;
  expect(await alai("prove")).toMatchObject({ exit: 0 });
});

const BIN = join(import.meta.dirname, "../../../bin/alai.ts");
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
