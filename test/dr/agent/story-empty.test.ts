import { copyFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writerKey } from "../../../src/dr/agent/sign.ts";
import { filesByReplica, newestTxid } from "../../../src/dr/ltx/name.ts";
import { litestreamRestore } from "../copy/standby.ts";
import { World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// Only storage knows that there was data: the agent's memory is gone, as after a new installation.
let world: World;
let fleet: Fleet;
beforeAll(async () => {
  world = await World.make({ databases: ["one", "two", "three", "four"] });
  fleet = await Fleet.make(world, { optional: ["mail", "four"] });
  // Planned as empty, as most are before their service is there.
  await fleet.rewriteManifest((text) => text.replaceAll(/"name":"(?:two|three)",/g, '$&"size":0,'));
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function stored(name: string): Promise<number> {
  const storage = await world.openStorage();
  return newestTxid(filesByReplica(await storage.list("e1/"), "e1/").get(name) ?? []);
}

function rows(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const n = db.prepare("SELECT count(*) AS n FROM marker").get()?.n;
  db.close();
  return Number(n);
}

/** What the real Litestream restores of it. */
function restored(name: string): string {
  const out = join(world.folder, `${name}-restored.db`);
  rmSync(out, { force: true });
  litestreamRestore(world, `e1/${name}`, out);
  return out;
}

/** The position of a replica once two more rows of another database have come up. */
async function later(name: string): Promise<number> {
  for (const _ of [1, 2]) {
    const from = Date.now();
    world.sql("two", "INSERT INTO marker (at_ms, filler) VALUES (0, 'more')");
    await fleet.says("anvil", "two", "ships", ({ shipped }) => (shipped?.time ?? 0) > from);
  }
  return stored(name);
}

const EMPTY = ["one", "three"];

it("a database that is empty, while storage has data of it, is damaged, and nothing is sent over that", async () => {
  const agent = fleet.start("anvil");
  for (const name of world.databases) {
    world.sql(name, "INSERT INTO marker (at_ms, filler) VALUES (1, 'kept')");
    await fleet.says("anvil", name, "is shipped", ({ shipped }) => shipped?.beat != null);
  }
  await agent.kill("SIGTERM");
  rmSync(join(world.folder, "primary"), { recursive: true, force: true });
  // As a person does who has looked, and does not want to wait until the new agent takes the old one for gone.
  rmSync(join(world.folder, "storage", writerKey(1)));
  for (const name of EMPTY) {
    for (const suffix of ["-wal", "-shm"]) rmSync(world.file(name) + suffix, { force: true });
    truncateSync(world.file(name));
  }
  // As an agent leaves it that had not asked: Litestream's own tables are in it.
  world.sql("three", "PRAGMA journal_mode = WAL; CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)");
  writeFileSync(world.file("mail"), "");
  const before = await Promise.all(EMPTY.map(stored));

  fleet.start("anvil");
  for (const name of EMPTY) {
    await fleet.says(
      "anvil",
      name,
      "is damaged",
      ({ state, note }, { alarms }) =>
        state === "damaged" &&
        /Storage has data of it/.test(note ?? "") &&
        alarms.some(({ kind, subject }) => kind === "damaged" && subject === name),
    );
  }
  const { databases } = await fleet.status();
  for (const { name, level } of databases) if (EMPTY.includes(name)) expect(level).toBe("breached");
  expect(await later("one")).toBe(before[0]);
  expect(await stored("three")).toBe(before[1]);
  expect(rows(restored("one"))).toBe(1);
});

it("one of which storage has nothing is empty, and covered", async () => {
  await fleet.says(
    "anvil",
    "mail",
    "is covered",
    ({ state, shipped }) => state === "empty" && (shipped?.txid ?? 0) > 0,
  );
});

it("what is planned as empty, or may be missing, is lost when it had data and is empty or missing", async () => {
  for (const name of ["two", "four"])
    for (const suffix of ["", "-wal", "-shm"]) rmSync(world.file(name) + suffix, { force: true });
  writeFileSync(world.file("two"), "");
  await fleet.says(
    "anvil",
    "two",
    "is damaged",
    ({ state, note }) => state === "damaged" && /had data/.test(note ?? ""),
  );
  await fleet.says("anvil", "four", "is missing", ({ state }, { alarms }) => {
    return state === "missing" && alarms.some(({ kind, subject }) => kind === "damaged" && subject === "four");
  });
  await fleet.untilStatus("neither is taken for empty", (all) => {
    const of = (one: string) => all.find(({ name }) => name === one);
    return of("two")?.breaches.includes("damaged") === true && of("four")?.breaches.includes("missing") === true;
  });
});

it("is sent again, from a whole image on, when it is restored into place", async () => {
  copyFileSync(restored("one"), world.file("one"));
  world.sql("one", "INSERT INTO marker (at_ms, filler) VALUES (2, 'after')");
  const from = Date.now();
  await fleet.says("anvil", "one", "ships", ({ state, shipped }) => state === "ok" && (shipped?.time ?? 0) > from);
  expect(rows(restored("one"))).toBe(2);
});
