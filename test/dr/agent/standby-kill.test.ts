import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { ship, words } from "../copy/images.ts";
import { mustBeSound } from "../copy/standby.ts";
import { TestProcess } from "../process.ts";
import { until } from "../world.ts";

const FOLLOWER = join(import.meta.dirname, "..", "fixtures", "follower.ts");
const ROWS = 20;

let folder: string;
let published: string;
let storage: FolderStorage;
let follower: TestProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-kill-"));
  for (const part of ["storage", "copies", "standby"]) mkdirSync(join(folder, part));
  published = join(folder, "copies", "one.db");
  storage = new FolderStorage({ path: join(folder, "storage"), prefix: "" }, 60_000);
});
afterEach(async () => {
  await follower?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const shipOne = (txid: number, rows: number) => ship(storage, folder, { replica: "e1/one", txid, rows });

function start(...words: string[]): TestProcess {
  follower = new TestProcess(process.execPath, [FOLLOWER, folder, "standby", "one", ...words], { ...process.env });
  return follower;
}

/** Lets a standby do something, and kills it before one of the steps that this takes. */
async function killedBefore(step: string, act: string): Promise<void> {
  const process = start(step, act);
  await until(`its death before ${step}`, () => process.isOver);
  expect(process.output).toContain(`killed before: ${step}`);
  mustBeSound(published);
}

/** The next one goes on by itself: to all that is in storage, with nothing left of what was broken off. */
async function goesOn(txid: number, rows: number): Promise<void> {
  const process = start();
  await process.says(new RegExp(`"applied":${txid},"published":${txid},"shipped":${txid},"state":"ok"`));
  await until("its rows for readers", () => words(published).length === rows);
  await process.kill();
  mustBeSound(published);
  expect(readdirSync(join(folder, "copies"))).toEqual(["one.db"]);
  const left = readdirSync(join(folder, "standby", "copies"), { recursive: true }).map(String);
  expect(left.filter((entry) => /\.seed|-wal|-shm|\.next|\.rewrite|\.tmp/.test(entry))).toEqual([]);
  const whole = left.filter((entry) => /(^|\/)one$/.test(entry));
  expect(whole).toHaveLength(1);
  mustBeSound(join(folder, "standby", "copies", whole[0] ?? ""));
}

test("killed between any two steps of giving a copy up and making it anew, readers keep what they have, and it goes on", async () => {
  const steps = ["generation", "open", "keep what was given up", "take away the rest"];
  steps.push("check", "swap", "seeded");
  await shipOne(1, ROWS);
  for (const [at, step] of steps.entries()) {
    await shipOne(at + 2, ROWS + at + 1);
    await killedBefore(step, "reseed");
    // Whatever was given up, they had all of it before.
    expect(words(published)).toHaveLength(ROWS + at + 1);
  }
  await shipOne(steps.length + 2, 2 * ROWS);
  await goesOn(steps.length + 2, 2 * ROWS);
});

test("killed between any two steps of putting a copy aside, readers keep what they have, and it goes on", async () => {
  const steps = ["quarantine", "put aside", "put its log aside", "thin out"];
  steps.push("check clone", "publish", "swap in", "published");
  const shipTo = async (newest: number) => {
    for (const txid of [newest - 1, newest]) await shipOne(txid, ROWS + txid);
  };
  for (const [at, step] of steps.entries()) {
    const newest = at + 2;
    await shipTo(newest);
    // The newest is taken out of storage again by the standby itself, when readers have it.
    await killedBefore(step, "back");
    expect(words(published)).toHaveLength(step === "published" ? ROWS + newest - 1 : ROWS + newest);
  }
  await shipTo(steps.length + 2);
  await goesOn(steps.length + 2, ROWS + steps.length + 2);
  const kept = readdirSync(join(folder, "standby", "copies")).filter((entry) => entry.includes("quarantined"));
  expect(kept.length).toBeLessThanOrEqual(2);
});
