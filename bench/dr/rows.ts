import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { filesByReplica } from "../../src/dr/ltx/name.ts";
import type { Database } from "../../src/dr/manifest/model.ts";
import { until } from "../../test/dr/world.ts";
import { median } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Fleet } from "./fleet.ts";

const SECOND = 1000;

/** Requests of one kind or another in a window, as so many an hour. */
async function perHour(fleet: Fleet, window: number): Promise<number> {
  fleet.azurite.gate.reset();
  await sleep(window);
  return (fleet.azurite.gate.passed.length * 3_600_000) / window;
}

/** Agents of both hosts, nothing written by anybody but heartbeats. @param window longer than what is done every five minutes. */
export function idleOperations(fleet: Fleet, window: number): Promise<number> {
  return perHour(fleet, window);
}

/** Litestream as it is when only paths are told: on the same databases, to a place of its own. The agents must be gone. */
export async function defaultOperations(fleet: Fleet, window: number): Promise<number> {
  const file = join(fleet.dir, "defaults.yml");
  const { storage } = fleet.manifest;
  if (storage.type !== "azure") throw new Error("The bench runs on Azurite.");
  const replica = {
    type: "abs",
    bucket: storage.container,
    endpoint: storage.endpoint,
    "account-name": storage.account,
  };
  const dbs = fleet.manifest.databases.map((database) => ({
    path: fleet.file(database),
    replica: { ...replica, path: `defaults/${database.name}` },
  }));
  writeFileSync(file, JSON.stringify({ dbs }));
  const litestream = fleet.start(fleet.litestream, ["replicate", "-config", file]);
  try {
    await until(
      "defaults have shipped everything",
      async () => filesByReplica(await fleet.storage.list("defaults/"), "defaults/").size === dbs.length,
      600 * SECOND,
    );
    // First snapshots and their compaction are not idle.
    await sleep(45 * SECOND);
    return await perHour(fleet, window);
  } finally {
    await litestream.kill();
  }
}

/** While one row a second goes into each: how old what readers of the standby get is, and what the agents take. */
export async function following(fleet: Fleet, samples: number): Promise<Figure[]> {
  const applied: number[] = [];
  const published: number[] = [];
  let memory = 0;
  for (let sample = 0; sample < samples; sample++) {
    await sleep(SECOND);
    const report = await fleet.report("forge");
    for (const database of report?.databases ?? []) {
      if (database.applied?.time) applied.push((report?.at ?? 0) - database.applied.time);
      if (database.published?.time) published.push((report?.at ?? 0) - database.published.time);
    }
    memory = Math.max(memory, ...fleet.agents.map((pid) => residentBytes(pid)));
  }
  return [
    lag("standby lag of what readers get, median", median(published), { bar: 10, moonshot: 3 }, applied),
    lag("standby lag of what readers get, worst", Math.max(...published), { bar: 30, moonshot: 6 }, applied),
    {
      what: "agent's memory, the larger of both",
      value: memory / 1e6,
      unit: " MB",
      ...{ bar: 150, moonshot: 80 },
      detail: "VmRSS, Litestream not counted",
    },
  ];
}

/** @param applied of the working copies, which are brought forward before readers get anything. */
function lag(what: string, ms: number, bars: { bar: number; moonshot: number }, applied: readonly number[]): Figure {
  const seconds = (value: number) => `${(value / SECOND).toFixed(1)} s`;
  const detail = `working copy: median ${seconds(median(applied))}, worst ${seconds(Math.max(...applied))}, n = ${applied.length}`;
  return { what, value: ms / SECOND, unit: " s", ...bars, detail };
}

/** Bytes of memory that a process has now. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** `alai dr status` as a person runs it. */
export async function status(fleet: Fleet, rounds: number): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++)
    times.push(await timed(() => fleet.alai(["dr", "status", "--json"], [0, 1])));
  return {
    what: "`dr status` of 69 databases",
    value: median(times) / SECOND,
    unit: " s",
    ...{ bar: 1, moonshot: 0.2 },
    detail: `npm build, median of ${rounds}`,
  };
}

/** Everything restored and checked, beside Litestream one database after the other. Nothing is written meanwhile. */
export async function restoring(fleet: Fleet): Promise<Figure> {
  const [ours, theirs] = [join(fleet.dir, "ours"), join(fleet.dir, "theirs")];
  mkdirSync(theirs);
  const own = await timed(() => fleet.alai(["dr", "restore", "--all", "-o", ours]));
  const configs = configsByDatabase(fleet);
  const other = await timed(async () => {
    for (const database of fleet.manifest.databases) {
      const words = ["-config", configs(database), "-o", join(theirs, database.name), "-integrity-check", "quick"];
      await fleet.run(fleet.litestream, ["restore", ...words, fleet.file(database)]);
    }
  });
  for (const folder of [ours, theirs]) rmSync(folder, { recursive: true });
  return {
    what: "all 69 restored and checked ÷ `litestream restore` one by one",
    value: own / other,
    ...{ bar: 0.5, moonshot: 0.3 },
    detail: `${(own / SECOND).toFixed(1)} s ÷ ${(other / SECOND).toFixed(1)} s`,
  };
}

/** Which of the rendered configurations names a database. */
function configsByDatabase(fleet: Fleet): (database: Database) => string {
  const folder = join(fleet.dir, "anvil", "litestream");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
  const texts = files.map((name) => ({ file: join(folder, name), text: readFileSync(join(folder, name), "utf8") }));
  return (database) => {
    const found = texts.find(({ text }) => text.includes(fleet.file(database)));
    if (!found) throw new Error(`No configuration names ${database.name}.`);
    return found.file;
  };
}

/** A working copy that can go no further by itself: until the watchdog has found it and a fresh one goes on. */
export async function stalled(fleet: Fleet, name: string): Promise<Figure> {
  const one = async () => (await fleet.report("forge"))?.databases.find((database) => database.name === name);
  const before = await one();
  const work = join(fleet.dir, "forge", "copies", name);
  const start = performance.now();
  rmSync(work);
  // A folder where the file was: nothing that the copy can repair.
  mkdirSync(work);
  await until(
    "the copy is made anew",
    async () => {
      const now = await one();
      return now?.state === "ok" && now.reseeds > (before?.reseeds ?? 0) && isNewer(now, before);
    },
    300 * SECOND,
  );
  return {
    what: "a stalled follower found and re-seeded",
    value: (performance.now() - start) / SECOND,
    unit: " s",
    ...{ bar: 60, moonshot: 20 },
    detail: name,
  };
}

type Seen = { readonly applied: { readonly txid: number | null } | null } | undefined;

function isNewer(now: Seen, before: Seen): boolean {
  return (now?.applied?.txid ?? 0) > (before?.applied?.txid ?? 0);
}

/** Writers, Litestreams and agent killed at one moment: what of the acknowledged rows is not in storage. */
export async function lost(fleet: Fleet, victims: readonly number[]): Promise<Figure[]> {
  for (const pid of victims) process.kill(pid, "SIGKILL");
  const newest = fleet.newest();
  const folder = join(fleet.dir, "after");
  // What storage was sent before the kill may still be on its way into it.
  await sleep(2 * SECOND);
  await fleet.alai(["dr", "restore", "--all", "-o", folder]);
  const losses = fleet.manifest.databases.map((database) => {
    const acknowledged = newest.get(database.name);
    if (!acknowledged) throw new Error(`Nothing was written to ${database.name}.`);
    const db = new DatabaseSync(join(folder, database.path), { readOnly: true });
    const at = Number(db.prepare("SELECT max(at_ms) AS at FROM marker").get()?.at ?? 0);
    db.close();
    return { tier: database.tier.name, ms: Math.max(0, acknowledged.at - at) };
  });
  rmSync(folder, { recursive: true });
  const worst = (prefix: string) => {
    const all = losses.filter(({ tier }) => tier.startsWith(prefix)).map(({ ms }) => ms / SECOND);
    return { value: Math.max(...all), detail: `median ${median(all).toFixed(1)} s of ${all.length}` };
  };
  return [
    { what: "RPO after SIGKILL, worst p0", unit: " s", ...{ bar: 5, moonshot: 2 }, ...worst("p0") },
    { what: "RPO after SIGKILL, worst p1", unit: " s", ...{ bar: 15, moonshot: 2 }, ...worst("p1") },
  ];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
