import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { InterruptibleStorage } from "../../../src/dr/drill/interruptible.ts";
import { ProofHistory, readProofs } from "../../../src/dr/prove/history.ts";
import { proofsIn } from "../../../src/dr/prove/in-epoch.ts";
import { type ProveAllOptions, proveAll } from "../../../src/dr/prove/prove-all.ts";
import { type Contents, type Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { TestProcess } from "../process.ts";
import { database, ReplicaFolder, SmallDisk } from "../restore/replica.ts";
import { until } from "../world.ts";

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

/** Proves `one`, or what is told. @param at hours after the first proof. */
async function proved(
  { storage, state }: { storage: Storage; state: string },
  at = 0,
  more: Partial<ProveAllOptions> = {},
) {
  const options = { mode: "quick", clock: () => NOW + at * HOUR, epoch: 1, stateFolder: state } as const;
  const proven = await proveAll({ storage, databases: [database("one")], ...options, ...more });
  return proven.map(({ proof }) => proof)[0];
}

describe("an epoch", () => {
  test("that has nothing yet is not proven by what the one before has", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    expect(await proved(replicas)).toMatchObject({ problem: null, epoch: 1, txid: 3 });
    expect(await proved(replicas, 1, { epoch: 2 })).toMatchObject({
      ...{ epoch: 2, txid: null },
      problem: "Storage has nothing of it in epoch 2, only in epoch 1: --epoch 1 proves that.",
    });
    const all = readProofs(replicas.state);
    expect(all.good).toEqual([{ name: "one", epoch: 1, txid: 3, at: NOW, rows: 3 }]);
    expect(all.failed).toMatchObject([{ name: "one", epoch: 2, at: NOW + HOUR }]);
    expect([...proofsIn(all, 2).good]).toEqual([]);
    expect([...proofsIn(all, 1).failed]).toEqual([]);
  });

  test("begins anew: fewer transactions than in the one before are no going back", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 30], { beat: { epoch: 1, seq: 9 } });
    await proved(replicas);
    replicas.write("one", [1, 2], { epoch: 2, beat: { epoch: 2, seq: 1 } });
    expect(await proved(replicas, 1, { epoch: 2 })).toMatchObject({ problem: null, epoch: 2, txid: 2 });
    // The proof of an old epoch, made later, hides nothing of the new one.
    expect(await proved(replicas, 2)).toMatchObject({ problem: null, epoch: 1 });
    const { good } = proofsIn(readProofs(replicas.state), 2);
    expect([...good]).toEqual([["one", NOW + HOUR]]);
  });

  test("is the primary's where none is named", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    const alai = async (...words: string[]) => {
      const { exit, out } = await replicas.alai("prove", "one", ...words);
      return { exit, rows: JSON.parse(out) };
    };
    expect(await alai("--json=state,epoch")).toEqual({ exit: 0, rows: [{ state: "ok", epoch: 1 }] });
    mkdirSync(join(replicas.path, "_alai"));
    const primary = join(replicas.path, "_alai", "primary.json");
    writeFileSync(primary, '{"epoch":2,"owner":"forge","state":"primary"}');
    // It may be missing, and is: neither proven nor failed.
    expect(await alai("--json=state,epoch")).toEqual({ exit: 0, rows: [{ state: "none", epoch: 2 }] });
    expect(await alai("--epoch", "1", "--json=state,epoch")).toEqual({ exit: 0, rows: [{ state: "ok", epoch: 1 }] });
  });
});

describe("a database that went back", () => {
  test("in storage: by how much and since when, until storage is as far again", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3], { beat: { epoch: 1, seq: 3 } });
    const newer = replicas.write("one", [4, 8], { beat: { epoch: 1, seq: 8 } });
    expect(await proved(replicas)).toMatchObject({ problem: null, txid: 8 });
    replicas.remove(newer);
    const problem = `Storage went back by 5 transactions since ${new Date(NOW).toISOString()}, when it was last proven: it has 3, where there was 8.`;
    expect(await proved(replicas, 24)).toMatchObject({ problem, txid: 3 });
    // It does not become right by being so for a day.
    expect(await proved(replicas, 48)).toMatchObject({ problem });
    expect(readProofs(replicas.state).failed).toMatchObject([{ name: "one", epoch: 1, at: NOW + 48 * HOUR, problem }]);
    replicas.write("one", [4, 9], { beat: { epoch: 1, seq: 9 } });
    expect(await proved(replicas, 49)).toMatchObject({ problem: null });
    expect(readProofs(replicas.state).failed).toEqual([]);
  });

  test.each([
    ["an older heartbeat", { epoch: 1, seq: 2 }, "2 of epoch 1"],
    ["none any more", null, "none"],
  ])("on the primary, where an older file was put in its place: %s", async (_, beat, found) => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3], { beat: { epoch: 1, seq: 5 } });
    await proved(replicas);
    // Litestream goes on in its numbers, whatever file is there now.
    replicas.write("one", [1, 9], { level: 9, beat });
    expect((await proved(replicas, 24))?.problem).toBe(
      `The database went back since ${new Date(NOW).toISOString()}, when it was last proven: its heartbeat is ${found}, where there was 5 of epoch 1.`,
    );
  });

  test("is not one that another run has proven further in the meantime", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    const listed = async (prefix: string) => {
      const blobs = await replicas.storage.list(prefix);
      replicas.write("one", [4, 9]);
      expect(await proved(replicas, 1)).toMatchObject({ problem: null, txid: 9 });
      return blobs;
    };
    const storage = Object.assign(Object.create(replicas.storage) as Storage, { list: listed });
    storage.read = (key) => replicas.storage.read(key);
    expect(await proved({ storage, state: replicas.state })).toMatchObject({ problem: null, txid: 3 });
  });

  test("is not one whose replica was begun anew and whose heartbeat went on", async () => {
    using replicas = new ReplicaFolder();
    const old = replicas.write("one", [1, 300], { rows: 3, beat: { epoch: 1, seq: 5 } });
    await proved(replicas);
    replicas.remove(old);
    replicas.write("one", [1, 2], { beat: { epoch: 1, seq: 6 } });
    expect(await proved(replicas, 24)).toMatchObject({ problem: null, txid: 2 });
  });
});

describe("a sound database in which nothing is left", () => {
  test("has come to nothing: no row of many, until there is one again; without a heartbeat too", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3], { rows: 500 });
    await proved(replicas);
    replicas.write("one", [1, 4], { rows: 0 });
    for (const at of [1, 24])
      expect((await proved(replicas, at))?.problem).toMatch(
        /^No row is left in the database: at \S+Z, when it was last proven, it had 500 rows in 1 table\.$/,
      );
    expect(readProofs(replicas.state).failed).toMatchObject([{ name: "one" }]);
    replicas.write("one", [1, 5], { rows: 1 });
    expect(await proved(replicas, 25)).toMatchObject({ problem: null });
    expect(readProofs(replicas.state)).toMatchObject({ good: [{ rows: 1 }], failed: [] });
  });

  test("has come to nothing without a table of its service, were there ever so few rows; Litestream's own are none", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3], { rows: 1 });
    await proved(replicas);
    replicas.write("one", [1, 4], { rows: 9, table: "_litestream_seq", beat: { epoch: 1, seq: 1 } });
    expect((await proved(replicas, 1))?.problem).toMatch(
      /^No table of a service's is left in the database: at .+ it had 1 row in 1 table\.$/,
    );
  });

  test("is well where there never was more, or a few rows were deleted", async () => {
    using replicas = new ReplicaFolder();
    for (const [at, rows] of [9, 0, 3, 0].entries()) {
      replicas.write("one", [1, at + 1], { rows });
      expect(await proved(replicas, at)).toMatchObject({ problem: null });
    }
  });
});

describe("what cannot be tried", () => {
  const refusing = (storage: Storage, error: Error): Storage =>
    Object.assign(Object.create(storage) as Storage, {
      list: (prefix: string) => storage.list(prefix),
      read: (): Promise<Contents> => Promise.reject(error),
    });

  test.each([
    ["refused", 4],
    ["slow", 69],
    ["unreachable", 69],
    ["failed", 69],
  ] as const)("because storage is %s proves nothing, and is no failure of the database", async (trouble, exit) => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    await proved(replicas);
    const error = new StorageError(trouble, "No.", undefined, { isSignIn: trouble === "refused" });
    const proof = await proved({ storage: refusing(replicas.storage, error), state: replicas.state }, 24);
    expect(proof).toMatchObject({ problem: null, txid: null, hindrance: { message: "No.", exit } });
    expect(readProofs(replicas.state)).toEqual({
      good: [{ name: "one", epoch: 1, txid: 3, at: NOW, rows: 3 }],
      failed: [],
    });
    expect(readdirSync(replicas.state)).toEqual(["prove.db"]);
  });

  test("because this machine's disk is full: what fits is proven, and the next run proves the rest", async ({
    skip,
  }) => {
    using replicas = new ReplicaFolder();
    using disk = new SmallDisk(replicas.state, skip);
    replicas.write("one", [1, 3], { rows: 19_000 });
    replicas.write("two", [1, 3]);
    const { exit, out, err } = await replicas.alai("prove", "--json=name,state,problem");
    expect(exit).toBe(69);
    expect(JSON.parse(out)).toEqual([
      { name: "one", state: "untried", problem: expect.stringMatching(/^There is no room for one on the disk of /) },
      { name: "two", state: "ok", problem: null },
    ]);
    expect(err).toContain("Make room");
    expect(err.split("\n")).toHaveLength(2);
    expect(readdirSync(replicas.state)).toEqual(["prove.db"]);
    disk.grow();
    expect((await replicas.alai("prove")).exit).toBe(0);
    expect(readProofs(replicas.state).failed).toEqual([]);
  });

  test("because the history cannot be written: that is said, and nothing is left", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    mkdirSync(replicas.state);
    writeFileSync(join(replicas.state, "prove.db"), "This is no database at all.".repeat(100));
    await expect(proved(replicas)).rejects.toMatchObject({
      exit: 69,
      message: expect.stringMatching(/^The history of proofs cannot be used: .+prove\.db: .+not a database/),
    });
    expect(readdirSync(replicas.state)).toEqual(["prove.db"]);
  });

  test("a run that was interrupted ends at once, keeps what it had proven, and tidies up", async () => {
    using replicas = new ReplicaFolder();
    for (const name of ["one", "two"]) replicas.write(name, [1, 3]);
    const stop = new AbortController();
    const silent = new InterruptibleStorage(
      replicas.silent("two", () => stop.abort()),
      stop.signal,
    );
    const databases = [database("one"), database("two")];
    const ended = proved({ storage: silent, state: replicas.state }, 0, { databases });
    await expect(ended).rejects.toMatchObject({ exit: 130 });
    expect(readProofs(replicas.state).failed).toEqual([]);
    expect(readdirSync(replicas.state)).toEqual(["prove.db"]);
  });

  test("a run that was killed leaves what the next one removes", async () => {
    using replicas = new ReplicaFolder();
    replicas.write("one", [1, 3]);
    const ended = new TestProcess(process.execPath, ["-e", ""], {});
    await until("its end", () => ended.isOver);
    const left = [`proving-${ended.child.pid}`, `proving-${process.ppid}`, "proving-x"];
    for (const name of left) mkdirSync(join(replicas.state, name), { recursive: true });
    await proved(replicas);
    expect(readdirSync(replicas.state).sort()).toEqual(["prove.db", ...left.slice(1)].sort());
  });
});

describe("the history", () => {
  test("of before proofs had an epoch of their own loses nothing: it is of the first", async () => {
    using replicas = new ReplicaFolder();
    mkdirSync(replicas.state);
    const db = new DatabaseSync(join(replicas.state, "prove.db"));
    db.exec(
      "CREATE TABLE proof (id INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL, problem TEXT, proof TEXT NOT NULL) STRICT",
    );
    const add = db.prepare("INSERT INTO proof (name, at, problem, proof) VALUES (?, ?, ?, ?)");
    add.run("one", 5, null, JSON.stringify({ name: "one", at: 5, problem: null, epoch: 1, txid: 7, tables: [] }));
    add.run("two", 6, null, JSON.stringify({ name: "two", at: 6, problem: null, tables: [] }));
    add.run("two", 7, "Bad.", JSON.stringify({ name: "two", at: 7, problem: "Bad.", epoch: null }));
    db.close();
    const known = {
      good: [
        { name: "one", epoch: 1, txid: 7, at: 5 },
        { name: "two", epoch: 1, txid: null, at: 6 },
      ],
      failed: [{ name: "two", epoch: 1, at: 7, problem: "Bad." }],
    };
    expect(readProofs(replicas.state)).toEqual(known);
    // Opened for writing it is still the same, and what is written beside it does not change it.
    const history = new ProofHistory(replicas.state);
    expect(history.last("one", 1, NOW)).toMatchObject({ txid: 7 });
    expect(history.last("one", 2, NOW)).toBeNull();
    history.close();
    expect(readProofs(replicas.state)).toEqual(known);
    rmSync(replicas.state, { recursive: true });
    expect(readProofs(replicas.state)).toEqual({ good: [], failed: [] });
  });
});
