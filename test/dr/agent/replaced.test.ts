import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Origin } from "../../../src/dr/agent/origin.ts";
import { filesByReplica, newestTxid } from "../../../src/dr/ltx/name.ts";
import { litestreamRestore } from "../copy/standby.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

let world: World;
let fleet: Fleet;
beforeAll(async () => {
  world = await World.make();
  fleet = await Fleet.make(world);
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function originOfIt(): Origin {
  const [database] = fleet.manifest.databases;
  const [host] = fleet.manifest.hosts;
  if (!database || !host) throw new Error("no database");
  return new Origin(database, host, { beat: null, shipped: null, inode: null, data: null, healed: null });
}

async function stored(): Promise<number> {
  const storage = await world.openStorage();
  return newestTxid(filesByReplica(await storage.list("e1/"), "e1/").get("one") ?? []);
}

it("a replaced database of which the old Litestream sent the log is whole in storage after the next one began", async () => {
  const origin = originOfIt();
  origin.look();
  const old = await world.startLitestream();
  world.sql("one", "INSERT INTO marker (at_ms, filler) VALUES (1, 'old')");
  await until("the old one", async () => (await stored()) > 0);

  const next = join(world.folder, "next.db");
  const made = new DatabaseSync(next);
  made.exec(
    "PRAGMA journal_mode = WAL; CREATE TABLE replaced (x); INSERT INTO replaced VALUES ('first'); CREATE TABLE t (x)",
  );
  made.close();
  for (const suffix of ["-wal", "-shm"]) rmSync(world.file("one") + suffix, { force: true });
  renameSync(world.file("one"), join(world.folder, "old.db"));
  renameSync(next, world.file("one"));
  using service = new DatabaseSync(world.file("one"));
  const before = await stored();
  service.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (1)");
  await until("what the old Litestream makes of it", async () => (await stored()) > before);
  await old.kill("SIGKILL");

  expect(origin.look()).toBe(true);
  service.exec("BEGIN; SELECT * FROM t");
  origin.forget();
  expect(origin.look()).toBe(true);
  service.exec("COMMIT");
  origin.forget();
  expect(origin.look()).toBe(false);
  expect(origin.report.reseeds).toBe(1);

  const poisoned = await stored();
  await world.startLitestream();
  service.exec("INSERT INTO t VALUES (2)");
  await until("the new one", async () => (await stored()) > poisoned);
  const out = join(world.folder, "restored.db");
  litestreamRestore(world, "e1/one", out);
  using restored = new DatabaseSync(out);
  expect(restored.prepare("SELECT x FROM replaced").all()).toMatchObject([{ x: "first" }]);
});
