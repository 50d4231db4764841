import { cpSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesByReplica } from "../../../src/dr/ltx/name.ts";
import { readersBehind } from "../../../src/dr/watchdogs/readers.ts";
import type { WatchedDatabase } from "../../../src/dr/watchdogs/watched.ts";
import { words } from "../copy/images.ts";
import { LoneStandby } from "../copy/lone-standby.ts";

const published = (world: LoneStandby, txid: number) =>
  world.until("a", `published at ${txid}`, (report) => report.published?.txid === txid);

/** Alarms about what readers get, as the agent would raise them now. */
function alarms(databases: readonly WatchedDatabase[]): string[] {
  const found = readersBehind({ role: "standby", databases, now: Date.now() } as Parameters<typeof readersBehind>[0]);
  return found.map(({ subject, sentence }) => `${subject}: ${sentence}`);
}

test("a publication that fails is said at once, in the report and by an alarm, and mends by itself", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await published(world, 1);
  expect(world.report("a").readers).toMatchObject({ behindSince: null, trouble: null });
  expect(alarms(world.standby.databases)).toEqual([]);
  rmSync(join(world.folder, "copies"), { recursive: true });
  writeFileSync(join(world.folder, "copies"), "a file in its place");
  await world.ship("a", 2);
  await world.until("a", "trouble", ({ readers }) => readers?.trouble != null);
  const { note, readers, applied, state } = world.report("a");
  expect([applied?.txid, state, note]).toEqual([2, "ok", readers?.trouble]);
  expect(note).toMatch(/EEXIST|ENOTDIR/);
  expect(alarms(world.standby.databases)).toEqual([`a: Readers get nothing newer: ${note}`]);
  rmSync(join(world.folder, "copies"));
  await published(world, 2);
  expect(world.report("a").note).toBeNull();
  expect(alarms(world.standby.databases)).toEqual([]);
});

test("what readers get may be behind for five minutes, or for two rounds of all checks", async () => {
  await using world = new LoneStandby(["a"]);
  const [one] = world.standby.databases;
  if (!one) throw new Error("none");
  const behind = (waited: number, lasted = 100) => {
    const readers = { behindSince: Date.now() - waited, trouble: null, lasted };
    return alarms([{ ...one, report: { ...one.report, readers } }]);
  };
  expect(behind(290_000)).toEqual([]);
  expect(behind(590_000, 100_000)).toEqual([]);
  expect(behind(610_000, 100_000)).toHaveLength(1);
  expect(behind(310_000)).toEqual(["a: Readers have got nothing newer for 5 min, although the working copy has more."]);
});

/** The standby's own files as they are now, to be put back later. */
function keepState(world: LoneStandby): () => void {
  const [copies, kept] = [join(world.folder, "forge", "copies"), join(world.folder, "kept")];
  cpSync(copies, kept, { recursive: true });
  return () => {
    const record = join(copies, "a.published.json");
    const newest = join(world.folder, "record.json");
    cpSync(record, newest);
    rmSync(copies, { recursive: true });
    cpSync(kept, copies, { recursive: true });
    cpSync(newest, record);
  };
}

test("an older working copy than what readers have is not published, and goes on to where they are", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await published(world, 1);
  const putBack = keepState(world);
  await world.ship("a", 2);
  await published(world, 2);
  await world.standby.stop(5000);
  putBack();
  await world.again();
  const before = statSync(world.published("a"));
  world.storage.holding = true;
  await world.list();
  await world.until("a", "refused", ({ readers }) => readers?.trouble != null);
  expect(world.report("a")).toMatchObject({ applied: { txid: 1 }, published: { txid: 2 } });
  expect(alarms(world.standby.databases)).toEqual([
    "a: Readers get nothing newer: The working copy is older than what readers have: it is at transaction 1, and they have 2.",
  ]);
  expect(statSync(world.published("a"))).toEqual(before);
  world.storage.holding = false;
  world.storage.release();
  await world.ship("a", 3);
  await published(world, 3);
  expect(world.report("a")).toMatchObject({ readers: { behindSince: null, trouble: null }, note: null });
});

test("storage that went back itself is followed, and that is said", async () => {
  await using world = new LoneStandby(["a"]);
  await world.ship("a", 1);
  await published(world, 1);
  await world.ship("a", 2);
  await published(world, 2);
  const files = filesByReplica(await world.storage.list("e1/"), "e1/").get("a") ?? [];
  for (const { key } of files.filter(({ max }) => max === 2)) await world.storage.remove(key);
  await published(world, 1);
  expect(words(world.published("a"))).toHaveLength(1);
  expect(world.log).toMatch(/readers got an older state, because storage itself went back/);
  expect(world.log).toMatch(/from transaction 2 to 1/);
});
