import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { binary, probe, run } from "./probe.ts";

/** Levels so slow that what is sent stays on level 0. */
const SLOW = "snapshot: { interval: 24h, retention: 48h }\nlevels: [{ interval: 1h }, { interval: 24h }]\n";

/** A follower of the world's one database into `out.db`. */
class Follower implements AsyncDisposable {
  readonly process: TestProcess;
  readonly output: string;

  constructor(world: World, config: string) {
    this.output = join(world.folder, "out.db");
    const words = [
      "restore",
      "-f",
      "-follow-interval",
      "200ms",
      "-config",
      config,
      "-o",
      this.output,
      world.file("one"),
    ];
    this.process = new TestProcess(binary(), words, { ...process.env, ...world.env });
  }

  /** The TXID in its sidecar; 0 before there is one. */
  get txid(): number {
    const file = `${this.output}-txid`;
    return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 16) : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
  }
}

let seq = 0;
function write(world: World): void {
  world.sql("one", `INSERT INTO marker VALUES (${++seq}, 1, '')`);
}

function levelZero(world: World): string {
  if (world.storage.type !== "file") throw new Error("in a folder");
  return join(world.storage.path, "e1", "one", "ltx", "0");
}

/** Until another file of level 0 has come. */
async function sendOne(world: World): Promise<void> {
  const before = readdirSync(levelZero(world)).length;
  write(world);
  await until("it is sent", () => readdirSync(levelZero(world)).length > before);
}

/** Until the one snapshot that is taken at the start is there: what comes after is in no other before a day has gone. */
async function snapshotTaken(world: World): Promise<void> {
  const folder = join(levelZero(world), "..", "9");
  await until("a snapshot", () => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".ltx")));
}

/** Removes every file with changes after `txid` but the newest of level 0 and snapshots, which a follower does not look at. */
function makeHole(world: World, txid: number): void {
  const root = join(levelZero(world), "..");
  const newest = readdirSync(levelZero(world)).toSorted().at(-1);
  for (const level of readdirSync(root).filter((name) => name !== "9"))
    for (const name of readdirSync(join(root, level)))
      if (Number.parseInt(name.slice(17, 33), 16) > txid && (level !== "0" || name !== newest))
        rmSync(join(root, level, name));
}

probe("a follower that was stopped cannot go on", "src/dr/copy (alai follows by itself)", async () => {
  await using world = await World.make();
  write(world);
  const config = world.writeConfig({ settings: SLOW });
  await world.startLitestream({ settings: SLOW });
  await snapshotTaken(world);
  {
    await using follower = new Follower(world, config);
    await until("it follows", () => follower.txid > 0);
    const first = follower.txid;
    await sendOne(world);
    await until("it has applied more", () => follower.txid > first);
  }
  await using again = new Follower(world, config);
  await again.process.says(/cannot resume follow mode: saved TXID .* is ahead of latest snapshot/);
});

probe(
  "a follower stops for ever, silently, where a file of level 0 is gone",
  "src/dr/watchdogs (follower stalled)",
  async () => {
    await using world = await World.make();
    write(world);
    const config = world.writeConfig({ settings: SLOW });
    const sender = await world.startLitestream({ settings: SLOW });
    await snapshotTaken(world);
    await using follower = new Follower(world, config);
    await until("it follows", () => follower.txid > 0);
    const stuck = follower.txid;
    follower.process.child.kill("SIGSTOP");
    for (let count = 0; count < 3; count++) await sendOne(world);
    await sender.kill();
    // With a newer snapshot everything is there for who starts anew.
    expect((await run(world, ["replicate", "-once", "-force-snapshot", "-config", config])).exit).toBe(0);
    makeHole(world, stuck);
    const output = follower.process.output.length;
    follower.process.child.kill("SIGCONT");
    await sleep(4000);
    const said = follower.process.output.slice(output);
    expect([follower.txid, follower.process.isOver]).toEqual([stuck, false]);
    expect(said).not.toMatch(/ERROR|WARN|applied/);
    const fresh = join(world.folder, "fresh.db");
    expect((await run(world, ["restore", "-config", config, "-o", fresh, world.file("one")])).exit).toBe(0);
    const db = new DatabaseSync(fresh, { readOnly: true });
    expect(db.prepare("SELECT max(seq) AS seq FROM marker").get()).toEqual({ seq });
    db.close();
  },
);
