import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { command } from "../../../src/commands/dr/storage-accept.ts";
import { MARKER_KEY } from "../../../src/dr/marker.ts";
import { litestreamRestore } from "../copy/standby.ts";
import { printing } from "../printing.ts";
import { until, World } from "../world.ts";
import { Fleet, type HostName } from "./fleet.ts";

let world: World;
let fleet: Fleet;
beforeAll(async () => {
  world = await World.make({ databases: ["one", "idle"] });
  fleet = await Fleet.make(world);
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const add = (name: string) => world.sql(name, "INSERT INTO marker (at_ms, filler) VALUES (1, 'row')");

function rows(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const n = db.prepare("SELECT count(*) AS n FROM marker").get()?.n;
  db.close();
  return Number(n);
}

function saysOther(host: HostName) {
  return until(`${host} says that it is another storage`, async () => {
    add("one");
    const report = await fleet.report(host);
    const isAlarmed = report?.alarms.some(({ kind }) => kind === "storage");
    return /not the storage that was used until/.test(report?.waiting ?? "") && isAlarmed ? report : null;
  });
}

/** Everything that was committed comes out of storage. */
function restoresAll() {
  const count = rows(world.file("one"));
  const out = join(world.folder, "restored.db");
  return until("all rows out of storage", () => {
    rmSync(out, { force: true });
    try {
      litestreamRestore(world, "e1/one", out);
    } catch {
      // Nothing to begin with yet.
      return false;
    }
    return rows(out) === count;
  });
}

it("storage that is unmounted is not begun anew in the empty folder: nothing is sent, nothing is green, and all goes on when it is back", async () => {
  for (const host of ["anvil", "forge"] as const) fleet.start(host);
  add("one");
  await fleet.untilStatus("well", (_, { level }) => level === "ok");
  for (const host of ["anvil", "forge"] as const)
    for (const name of world.databases)
      await fleet.says(host, name, "is in its listing", ({ shipped }) => (shipped?.txid ?? 0) > 0);
  const path = join(world.folder, "storage");
  const away = join(world.folder, "away");
  renameSync(path, away);
  mkdirSync(path, { recursive: true });

  const [anvil] = await Promise.all([saysOther("anvil"), saysOther("forge")]);
  expect(anvil.waiting).toContain("its marker (_alai/storage.json) is missing");
  expect(anvil.waiting).toContain("alai dr storage accept --host anvil");
  await until("no Litestream fills the folder", async () => (await fleet.litestreams()).length === 0);
  expect(["breached", "unknown"]).toContain((await fleet.status()).level);
  expect(existsSync(join(path, MARKER_KEY))).toBe(false);
  expect(rows(join(world.folder, "copies", "one.db"))).toBeGreaterThan(0);

  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  renameSync(away, path);
  await fleet.untilStatus("well again by itself", (_, { level }) => level === "ok");
  add("one");
  await fleet.untilStatus("what was committed meanwhile is there too", (all) =>
    all.every(({ level, evidence, rpo }) => level === "ok" && evidence === "A" && (rpo ?? 9e9) < 60_000),
  );
  await restoresAll();
  for (const name of world.databases)
    await fleet.says("anvil", name, "no whole image was needed", ({ reseeds }) => reseeds === 0);
});

it("another one in its place is taken when a person accepts it, by both hosts, and gets everything", async () => {
  renameSync(join(world.folder, "storage"), join(world.folder, "away"));
  mkdirSync(join(world.folder, "storage"), { recursive: true });
  await Promise.all([saysOther("anvil"), saysOther("forge")]);
  const flags = { manifest: fleet.manifest.file, host: "anvil" };
  expect(await command.run(printing().context, { args: [], flags: flags as never })).toBe(0);
  await fleet.untilStatus("well", (_, { level }) => level === "ok");
  await restoresAll();
});
