import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPrimary, writePrimary } from "../../../src/dr/epoch.ts";
import type { DatabaseStatus } from "../../../src/dr/status/status.ts";
import { mustBeSound } from "../copy/standby.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// One world, which the tests go through one after the other. The readers' folder is a small file system of its own.
let world: World;
let fleet: Fleet;
let anvil: TestProcess;
let forge: TestProcess;
let isMounted = false;
const copies = () => join(world.folder, "copies");
const published = (name = "one") => join(copies(), `${name}.db`);
beforeAll(async () => {
  world = await World.make({ databases: ["one", "two"] });
  isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", copies()]).status === 0;
  if (!isMounted && process.env.CI) throw new Error("cannot mount");
  fleet = await Fleet.make(world);
  anvil = fleet.start("anvil");
  forge = fleet.start("forge");
  await world.startWriter({ databases: ["one"], rate: 5 });
  await said("well", isWell);
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  if (isMounted) spawnSync("umount", ["-l", copies()]);
  await world?.[Symbol.asyncDispose]();
});

const isWell = ({ level }: DatabaseStatus) => level === "ok";

/** What status says of one. */
function said(what: string, look: (one: DatabaseStatus) => boolean) {
  return fleet.untilStatus(what, (all) => all.some((database) => database.name === "one" && look(database)));
}

function count(file = published()): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM marker").get()?.n);
  } finally {
    db.close();
  }
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Readers get newer rows than there were. */
async function goesOn(): Promise<void> {
  const before = world.acknowledged("one").length;
  await until("newer rows for readers", () => isFile(published()) && count() > before);
  mustBeSound(published());
}

it("a full disk of the readers' is degraded and said, what they have stays, and it mends by itself", async ({
  skip,
}) => {
  if (!isMounted) return skip();
  await goesOn();
  const filler = join(copies(), "filler");
  const file = openSync(filler, "w");
  const block = Buffer.alloc(4096);
  expect(() => {
    for (;;) writeSync(file, block);
  }).toThrow("ENOSPC");
  closeSync(file);
  await said("degraded", ({ level, reasons }) => level === "degraded" && /nothing newer: ENOSPC/.test(`${reasons}`));
  mustBeSound(published());
  rmSync(filler);
  await said("well again", isWell);
  await goesOn();
});

it("files that are taken away or replaced under it come back, and nothing of somebody else's is lost", async () => {
  rmSync(published());
  await goesOn();
  rmSync(published());
  mkdirSync(published());
  writeFileSync(join(published(), "somebody's"), "else");
  await goesOn();
  expect(readdirSync(join(copies(), ".before-standby-e1", "one.db"))).toEqual(["somebody's"]);
  const working = join(world.folder, "standby", "copies", "one");
  rmSync(working);
  await goesOn();
  writeFileSync(working, "no database");
  await goesOn();
  await fleet.says("forge", "one", "made anew twice", ({ reseeds, state }) => reseeds === 2 && state === "ok");
});

it("killed again and again while it becomes the primary, nothing torn is there, and no row of the services is replaced", async () => {
  await anvil.kill("SIGTERM");
  const storage = await world.openStorage();
  const truth = await readPrimary(storage, fleet.manifest);
  const rows = count();
  await writePrimary(storage, truth, { epoch: truth.epoch + 1, owner: "forge", state: "primary" });
  for (const moment of [/"acts".*|"role":"standby"/, /"role":"primary"/, /"message":"starts"/]) {
    await until(`${moment}`, () => moment.test(forge.output));
    await forge.kill();
    mustBeSound(published());
    expect(count()).toBeGreaterThanOrEqual(rows);
    forge = fleet.start("forge");
  }
  await until("it to be the primary", async () => (await fleet.report("forge"))?.role === "primary");
  const before = count();
  chmodSync(published(), 0o644);
  const db = new DatabaseSync(published(), { timeout: 20_000 });
  db.exec("PRAGMA journal_mode = WAL; INSERT INTO marker (at_ms, filler) VALUES (1, 'of a service')");
  await forge.kill();
  forge = fleet.start("forge");
  await until("it to be the primary", async () => (await fleet.report("forge"))?.role === "primary");
  db.exec("INSERT INTO marker (at_ms, filler) VALUES (2, 'of a service')");
  db.close();
  await fleet.says("forge", "one", "shipped", ({ shipped, committed }) => shipped?.txid != null && committed !== null);
  expect(count()).toBe(before + 2);
  mustBeSound(published());
});
