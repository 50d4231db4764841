import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findProcesses } from "../../../src/dr/agent/processes.ts";
import { writerKey } from "../../../src/dr/agent/sign.ts";
import type { HostReport } from "../../../src/dr/report.ts";
import { litestreamRestore } from "../copy/standby.ts";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// One world, which the tests go through one after the other.
let world: World;
let fleet: Fleet;
let clone: Fleet;
beforeAll(async () => {
  world = await World.make({ databases: ["one"] });
  fleet = await Fleet.make(world);
  world.sql("one", "INSERT INTO marker VALUES (1, 0, 'both')");
  cpSync(join(world.folder, "databases"), join(world.folder, "older"), { recursive: true });
  fleet.start("anvil");
  fleet.start("forge");
});
afterAll(async () => {
  await clone?.[Symbol.asyncDispose]();
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Rows of the real Litestream's restore. */
function rowsInStorage(): number[] {
  const out = join(world.folder, "restored.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(out + suffix, { force: true });
  litestreamRestore(world, "e1/one", out);
  const db = new DatabaseSync(out, { readOnly: true });
  const rows = db.prepare("SELECT seq FROM marker ORDER BY seq").all();
  db.close();
  return rows.map(({ seq }) => Number(seq));
}

const alarmOf = (report: HostReport | null, subject: string) =>
  report?.alarms.find((alarm) => alarm.kind === "foreign_writer" && alarm.subject === subject);

it("a second agent of the primary's name, with an older copy of the databases, sends nothing", async () => {
  world.sql("one", "INSERT INTO marker VALUES (2, 0, 'here')");
  await fleet.untilStatus("A", ([one]) => one?.level === "ok" && one.evidence === "A");
  clone = await Fleet.make(world);
  await clone.rewriteManifest((text) =>
    text.replaceAll(join(world.folder, "databases"), join(world.folder, "older")).replaceAll('/primary"', '/clone"'),
  );
  const agent = clone.start("anvil");
  await agent.says(/Another agent writes the replicas of epoch 1: the agent of anvil on the machine/);
  const alarm = await until("its alarm", async () => alarmOf(await clone.report("anvil"), ""));
  expect(alarm.sentence).toContain(writerKey(1));
  expect(await findProcesses(process.platform, join(world.folder, "clone", "litestream"))).toEqual([]);
  // Who asks the one that waits is not told that all is well, however good what is in storage is.
  const status = await clone.status();
  expect(status.databases[0]).toMatchObject({ level: "breached", breaches: expect.arrayContaining(["foreign"]) });
  expect((await fleet.status()).databases[0]).toMatchObject({ level: "ok" });
  expect(rowsInStorage()).toEqual([1, 2]);
  await agent.kill("SIGTERM");
});

it("a Litestream that somebody runs on an older copy is found out, and what storage has in the end is the primary's", async () => {
  const older = join(world.folder, "older", "one.db");
  const config = world.writeConfig({ databases: ["one"] });
  writeFileSync(config, readFileSync(config, "utf8").replace(world.file("one"), older));
  const litestream = process.env.ALAI_LITESTREAM ?? "litestream";
  const other = new TestProcess(litestream, ["replicate", "-config", config], { ...process.env, ...world.env });
  try {
    const db = new DatabaseSync(older);
    let seq = 1000;
    const alarm = await until("the alarm", async () => {
      db.exec(`INSERT INTO marker VALUES (${seq++}, 0, 'there')`);
      return alarmOf(await fleet.report("anvil"), "one");
    });
    db.close();
    expect(alarm.sentence).toMatch(/^Somebody else writes its replica: storage lists it up to transaction \d+/);
    const [one] = (await fleet.status()).databases;
    expect(one).toMatchObject({ level: "breached", breaches: expect.arrayContaining(["foreign"]) });
  } finally {
    await other.kill("SIGKILL");
  }
  world.sql("one", "INSERT INTO marker VALUES (3, 0, 'here')");
  await fleet.untilStatus("A again", ([one]) => one?.level === "ok" && one.evidence === "A");
  expect(rowsInStorage()).toEqual([1, 2, 3]);
});
