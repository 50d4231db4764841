import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hexTxid } from "../../../src/dr/ltx/name.ts";
import { reachable } from "../../../src/dr/ltx/plan.ts";
import { readProofs } from "../../../src/dr/prove/history.ts";
import { listReplicas } from "../../../src/dr/restore/replicas.ts";
import { litestreamRestore, mustBeSound } from "../copy/standby.ts";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";

const SETTINGS =
  "snapshot: {interval: 3s, retention: 1h}\nlevels: [{interval: 2s}]\nl0-retention: 5s\nl0-retention-check-interval: 2s\n";

/** One world for all: nothing in it is changed after it was made, save by who says so. */
let world: World;
let manifest: string;

beforeAll(async () => {
  world = await World.make({ databases: ["one", "two", "none"] });
  const litestream = await world.startLitestream({ databases: ["one", "two"], settings: SETTINGS });
  const writer = await world.startWriter({ databases: ["one", "two"], rate: 10 });
  await until("a snapshot, files put together, and single ones that are gone", async () => {
    const files = await replica("one");
    return (
      files.filter(({ level }) => level === 9).length > 1 && !files.some(({ level, min }) => level === 0 && min === 1)
    );
  });
  await writer.kill("SIGTERM");
  const rows = world.acknowledged("one").length;
  await sleep(1500);
  await litestream.kill("SIGTERM");
  expect(rows).toBeGreaterThan(10);
  manifest = world.writeManifest();
});

afterAll(() => world[Symbol.asyncDispose]());

async function replica(name: string) {
  const storage = await world.openStorage();
  return (await listReplicas(storage)).get(name)?.[0]?.files ?? [];
}

/** The real command. @returns exit code and both streams. */
async function alai(...words: readonly string[]): Promise<{ exit: number; output: string }> {
  const bin = join(import.meta.dirname, "../../../bin/alai.ts");
  const env = { ...process.env, ...world.env, ALAI_DR_MANIFEST: manifest };
  const command = new TestProcess(process.execPath, ["--", bin, "dr", ...words], env);
  await until("its end", () => command.isOver);
  return { exit: command.child.exitCode ?? -1, output: command.output };
}

function out(name: string): string {
  return join(world.folder, "restored", name);
}

function same(file: string, words: readonly string[]): boolean {
  const reference = out("reference.db");
  rmSync(reference, { force: true });
  litestreamRestore(world, "e1/one", reference, words);
  return readFileSync(file).equals(readFileSync(reference));
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name);
}

describe("alai dr restore", () => {
  test("makes the same bytes as litestream restore, and says what it made", async () => {
    const { exit, output } = await alai("restore", "one", "-o", out("newest.db"), "--json");
    const [row] = JSON.parse(output);
    expect(exit).toBe(0);
    expect(row).toMatchObject({ name: "one", epoch: 1, check: "ok", error: null, file: out("newest.db") });
    expect(row.age_ms).toBeGreaterThan(0);
    expect(same(out("newest.db"), [])).toBe(true);
    expect(readdirSync(out(""))).toContain("newest.db");
    mustBeSound(out("newest.db"));
  });

  test("restores any TXID that storage still has, to the byte", async () => {
    const moments = reachable(await replica("one"));
    expect(moments.length).toBeGreaterThan(2);
    const [some] = moments.slice(Math.floor(moments.length / 2));
    const txid = hexTxid(some?.max ?? 0);
    expect((await alai("restore", "one", "--txid", txid, "-o", out("txid.db"))).exit).toBe(0);
    expect(same(out("txid.db"), ["-txid", txid])).toBe(true);
  });

  test("restores a moment: nothing later is in it", async () => {
    const moments = reachable(await replica("one"));
    const at = Math.floor(((moments[0]?.time ?? 0) + (moments.at(-1)?.time ?? 0)) / 2);
    const { output } = await alai("restore", "one", "--at", new Date(at).toISOString(), "-o", out("at.db"), "--json");
    const [row] = JSON.parse(output);
    expect(Date.parse(row.time)).toBeLessThanOrEqual(at);
    // Litestream leaves out what is of that very millisecond.
    expect(same(out("at.db"), ["-timestamp", new Date(at + 1).toISOString()])).toBe(true);
  });

  test("a time after the newest data is said; one before the oldest is refused with what there is", async () => {
    const late = await alai("restore", "one", "--at", "1ms ago", "-o", out("late.db"));
    expect(late.exit).toBe(0);
    expect(late.output).toMatch(/The newest that storage has of one is of .+ before the time asked for/);
    const early = await alai("restore", "one", "--at", "2001-01-01", "-o", out("early.db"));
    expect(early.exit).toBe(3);
    expect(early.output).toMatch(/storage has it from \S+ to \S+\./);
    expect(existsSync(out("early.db"))).toBe(false);
  });

  test("a TXID that is not there is refused with the nearest that are", async () => {
    const [first] = reachable(await replica("one"));
    const missing = await alai("restore", "one", "--txid", "fffff", "-o", out("missing.db"));
    expect(missing.exit).toBe(3);
    expect(missing.output).toContain("storage goes to");
    expect(first).toBeDefined();
  });

  test.each(["", "-wal", "-shm", "-journal"])("nothing is overwritten: %s", async (suffix) => {
    const there = `${out(`there${suffix}.db`)}${suffix}`;
    await alai("restore", "two", "-o", out("make-the-folder.db"));
    rmSync(out("make-the-folder.db"), { force: true });
    writeFileSync(there, "precious");
    const { exit, output } = await alai("restore", "one", "-o", out(`there${suffix}.db`));
    expect(exit).toBe(1);
    expect(output).toContain("nothing is overwritten");
    expect(output).toContain(suffix === "" ? "move that one away" : "part of the database that was there");
    expect(readFileSync(there, "utf8")).toBe("precious");
    rmSync(there);
  });

  test("several go into a folder, and one that fails is named and stops no other", async () => {
    const { exit, output } = await alai("restore", "two", "one", "-o", out("both"), "--json=name,check,error");
    expect(exit).toBe(0);
    expect(JSON.parse(output)).toEqual([
      { name: "two", check: "ok", error: null },
      { name: "one", check: "ok", error: null },
    ]);
    // One is not in storage at all, and a file is in the way of another.
    const folder = out("some");
    mkdirSync(folder);
    writeFileSync(join(folder, "two.db"), "precious");
    const some = await alai("restore", "--all", "-o", folder, "--json=name,check,error");
    expect(some.exit).toBe(1);
    expect(JSON.parse(some.output).toSorted(byName)).toEqual([
      { name: "none", check: null, error: expect.stringContaining("has nothing of none") },
      { name: "one", check: "ok", error: null },
      { name: "two", check: null, error: expect.stringContaining("nothing is overwritten") },
    ]);
    mustBeSound(join(folder, "one.db"));
    expect(readFileSync(join(folder, "two.db"), "utf8")).toBe("precious");
    expect((await alai("restore", "none", "-o", out("none.db"))).exit).toBe(3);
    expect((await alai("restore", "oen", "-o", out("none.db"))).output).toContain("Did you mean one?");
  });

  test.each([
    [["restore"], "Which database?"],
    [["restore", "--all"], "Several databases go into a folder"],
    [["restore", "--all", "one", "-o", "x"], "do not go together"],
    [["restore", "one", "two", "--txid", "5", "-o", "x"], "--txid goes with one database"],
    [["restore", "one", "--at", "yesterday"], "is not a time"],
    [["restore", "one", "--at", "2999-01-01"], "is in the future"],
    [["restore", "one", "--txid", "12g"], "is not the TXID"],
    [["restore", "one", "--txid", "1", "--at", "1h ago"], "do not go together"],
  ])("%j is refused as it was typed", async (words, sentence) => {
    const { exit, output } = await alai(...words);
    expect(exit).toBe(64);
    expect(output).toContain(sentence);
  });
});

describe("alai dr prove", () => {
  test("restores everything from storage, counts its rows, tries an earlier moment, and remembers", async () => {
    const first = await alai("prove", "one", "two", "--json");
    const proofs = JSON.parse(first.output);
    expect(first.exit).toBe(0);
    for (const proof of proofs) {
      expect(proof).toMatchObject({ state: "ok", problem: null, rows_before: null, epoch: 1 });
      expect(proof.tables.marker).toBe(world.acknowledged(proof.name).length);
      expect(Date.parse(proof.sample.time)).toBeLessThanOrEqual(Date.parse(proof.sample.at));
      expect(proof.sample.problem).toBeNull();
    }
    const [again] = JSON.parse((await alai("prove", "--db", "one", "--json")).output);
    expect(again.rows_before).toBe(again.rows);
    const { good } = readProofs(join(world.folder, "standby"));
    expect(good.map(({ name, epoch }) => [name, epoch])).toEqual([
      ["one", 1],
      ["two", 1],
    ]);
    expect(readdirSync(join(world.folder, "standby"))).toEqual(["prove.db"]);
  });

  test("fails for what storage does not have, and for what is damaged there; nobody is taken for proven", async () => {
    const { exit, output } = await alai("prove", "none", "--json=state,problem");
    expect(exit).toBe(1);
    expect(JSON.parse(output)).toEqual([{ state: "failed", problem: "Storage has nothing of it." }]);
    const lastGood = () => readProofs(join(world.folder, "standby")).good.find(({ name }) => name === "two");
    const before = lastGood();
    if (world.storage.type !== "file") throw new Error("not in a folder");
    for (const { key } of await replica("two")) {
      const file = join(world.storage.path, key);
      const bytes = readFileSync(file);
      bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 4;
      writeFileSync(file, bytes);
    }
    const damaged = await alai("prove", "two", "one", "--json=name,state,problem");
    expect(damaged.exit).toBe(1);
    expect(JSON.parse(damaged.output)).toMatchObject([
      { name: "two", state: "failed", problem: expect.stringContaining("cannot be used") },
      { name: "one", state: "ok" },
    ]);
    expect(lastGood()).toEqual(before);
    const { failed } = readProofs(join(world.folder, "standby"));
    expect(failed).toEqual([
      { name: "none", epoch: 1, at: expect.any(Number), problem: "Storage has nothing of it." },
      { name: "two", epoch: 1, at: expect.any(Number), problem: expect.stringContaining("cannot be used") },
    ]);
    expect(failed[1]?.at).toBeGreaterThan(before?.at ?? Number.POSITIVE_INFINITY);
    // Nobody answers here, yet what failed is told of this machine's own file.
    const status = JSON.parse((await alai("status", "--json")).output);
    expect(status.databases.find(({ name }: { name: string }) => name === "two").breaches).toContain("proof_failed");
    expect(status.level).toBe("breached");
    const restored = await alai("restore", "two", "-o", out("damaged.db"));
    expect(restored.exit).toBe(1);
    expect(readdirSync(out("")).filter((name) => name.startsWith("damaged"))).toEqual([]);
  });

  test("status is red where storage has a newest transaction and not those before it", async () => {
    const restorable = async () => {
      const { databases } = JSON.parse((await alai("status", "--json")).output);
      return !databases.find(({ name }: { name: string }) => name === "one").breaches.includes("unrestorable");
    };
    expect(await restorable()).toBe(true);
    if (world.storage.type !== "file") throw new Error("not in a folder");
    // As after a loss in storage: what Litestream shipped since is there, and not what it follows on.
    const [any, ...more] = await replica("one");
    const newest = Math.max(...[any, ...more].map((file) => file?.max ?? 0));
    const later = hexTxid(newest + 5);
    const folder = join(world.storage.path, "e1", "one", "ltx", "0");
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(world.storage.path, any?.key ?? ""), join(folder, `${later}-${later}.ltx`));
    expect(await restorable()).toBe(false);
  });
});
