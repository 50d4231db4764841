import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { restoreAll } from "../../../src/dr/drill/restore-all.ts";
import { proveAll } from "../../../src/dr/prove/prove-all.ts";
import { jobsFor, planAgain } from "../../../src/dr/restore/jobs.ts";
import { ReplicaListing } from "../../../src/dr/restore/listing.ts";
import { restoreMany } from "../../../src/dr/restore/many.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { database, ReplicaFolder, Vanishing } from "./replica.ts";

const NAMES = ["one", "two"];

/** Single transactions of two databases, which Litestream puts together right after they were listed. */
function compactedOnce(replicas: ReplicaFolder): Vanishing {
  const singles = NAMES.flatMap((name) => [1, 2, 3].map((txid) => replicas.write(name, [txid])));
  return new Vanishing(replicas.storage, (nth) => {
    if (nth > 1) return;
    for (const name of NAMES) replicas.write(name, [1, 3], { level: 1 });
    for (const key of singles) replicas.remove(key);
  });
}

/** A newest transaction of one that is in every listing, and never there. */
function goneForEver(replicas: ReplicaFolder): Vanishing {
  for (const name of NAMES) replicas.write(name, [1, 3], { level: 9 });
  return new Vanishing(replicas.storage, () => undefined, [replicas.write("one", [4])]);
}

async function restore(storage: Storage, folder: string, wish: { txid?: number } = {}) {
  const listing = await ReplicaListing.make(storage);
  const placeOf = ({ path }: { path: string }) => join(folder, "restored", path);
  const planned = await jobsFor(
    NAMES.map((name) => database(name)),
    { storage, listing, wish, placeOf },
  );
  const jobs = planned.filter((one) => "target" in one);
  let read = 0;
  const outcomes = await restoreMany(jobs, {
    ...{ storage, check: { mode: "quick" } },
    again: { listing, plan: (job, replicas) => planAgain(job, replicas, { storage, wish }) },
    onBytes: (bytes) => {
      read += bytes;
    },
  });
  const sizes = outcomes.flatMap((one) => ("restored" in one ? one.job.target.files.map(({ size }) => size) : []));
  expect(read).toBe(sizes.reduce((sum, size) => sum + size, 0));
  return outcomes.map((one) => ("restored" in one ? one.restored.txid : (one.error as Error).message));
}

const proved = async (storage: Storage, { state }: ReplicaFolder) => {
  const options = { mode: "quick", clock: () => 9_000_000, epoch: 1, stateFolder: state } as const;
  const proven = await proveAll({ storage, databases: NAMES.map((name) => database(name)), ...options });
  return proven.map(({ proof }) => proof);
};

test("restore plans anew when what it had planned with was put together meanwhile, and counts no byte twice", async () => {
  using replicas = new ReplicaFolder();
  const storage = compactedOnce(replicas);
  expect(await restore(storage, replicas.folder)).toEqual([3, 3]);
  // Both ask for a new listing at once, and get the same.
  expect(storage.lists).toBeLessThanOrEqual(3);
});

test("restore of a transaction that is not there by itself any more says so, as if it had been asked a moment later", async () => {
  using replicas = new ReplicaFolder();
  const [one] = await restore(compactedOnce(replicas), replicas.folder, { txid: 2 });
  expect(one).toContain("cannot be restored to transaction 0000000000000002 exactly");
});

test("prove restores what a new listing has, newest and earlier moment", async () => {
  using replicas = new ReplicaFolder();
  for (const { problem, txid, hindrance } of await proved(compactedOnce(replicas), replicas))
    expect({ problem, txid, hindrance }).toEqual({ problem: null, txid: 3, hindrance: null });
});

test("prove tries an earlier moment of the listing that it restores by: the oldest files go, too", async () => {
  using replicas = new ReplicaFolder();
  const old = [replicas.write("one", [1, 2], { level: 9 }), replicas.write("one", [3])];
  const options = { mode: "quick", clock: () => 9_000_000, epoch: 1, stateFolder: replicas.state } as const;
  // A moment is chosen when the newest was restored: by then a snapshot has come, and the one before it has gone.
  const random = () => {
    replicas.write("one", [1, 50], { level: 9 });
    replicas.write("one", [51, 60]);
    for (const key of old.splice(0)) replicas.remove(key);
    return 0.5;
  };
  const { storage } = replicas;
  const [proven] = await proveAll({ storage, databases: [database("one")], random, ...options });
  expect(proven?.proof).toMatchObject({ problem: null, sample: { at: 55_000, txid: 50, problem: null } });
});

test("the drill's restore of everything does so too", async () => {
  using replicas = new ReplicaFolder();
  const options = { scratch: replicas.folder, onBytes: () => undefined };
  const { byName } = await restoreAll(
    compactedOnce(replicas),
    NAMES.map((name) => database(name)),
    options,
  );
  expect([...byName.values()]).toMatchObject([
    { kind: "restored", txid: 3 },
    { kind: "restored", txid: 3 },
  ]);
});

test("a hole that only the first listing had, files being put together while it was made, is none", async () => {
  using replicas = new ReplicaFolder();
  for (const name of NAMES) {
    replicas.write(name, [1]);
    replicas.write(name, [3]);
  }
  const compacted = () => {
    for (const name of NAMES) replicas.write(name, [1, 3], { level: 1 });
  };
  expect(await restore(new Vanishing(replicas.storage, compacted), replicas.folder)).toEqual([3, 3]);
});

test("what is listed again and again and never there ends, as a failure of that database alone, with nothing left behind", async () => {
  using replicas = new ReplicaFolder();
  const gone = /^Storage lists files that it does not have, 3 listings in a row: .+ has no e1\/one\/ltx\/0\//;
  const storage = goneForEver(replicas);
  expect(await restore(storage, replicas.folder)).toEqual([expect.stringMatching(gone), 3]);
  expect(storage.lists).toBe(3);
  expect(readdirSync(join(replicas.folder, "restored"))).toEqual(["two.db"]);
  expect(await proved(goneForEver(replicas), replicas)).toMatchObject([
    { name: "one", problem: expect.stringMatching(gone), txid: null, hindrance: null },
    { name: "two", problem: null, txid: 3 },
  ]);
  expect(readdirSync(replicas.state)).toEqual(["prove.db"]);
});
