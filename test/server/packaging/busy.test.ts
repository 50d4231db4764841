import { type Caller, type Ledger, Refusal } from "@alai/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runDrill } from "../../../packaging/server/drill/run.ts";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { PostgresServer } from "../../postgres/server.ts";

/** Whatever a ledger does after the backup must not look like damage: every verb, at random, over the same tasks. */

const TASKS = 60;
const CHANGES = 400;

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start(["fsync=off"]);
}, 300_000);
afterAll(() => server.remove());

/** Numbers that are the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

type Verb = (ledger: Ledger, id: number, caller: Caller, roll: (sides: number) => number) => Promise<unknown>;

const evidence = [{ path: "out.txt", sha256: "0".repeat(64), size: 1 }];
const VERBS: readonly Verb[] = [
  (ledger, id, caller, roll) => ledger.add([{ title: `new ${roll(1e6)}`, blocked_by: [id] }], caller),
  (ledger, id, caller, roll) => ledger.edit([id], { title: `edited ${roll(1e6)}` }, caller),
  (ledger, id, caller) => ledger.edit([id], { parent: id > 30 ? id - 30 : null }, caller),
  (ledger, id, caller) => ledger.note([id], "a note", caller),
  (ledger, id, caller) => ledger.setStatus([id], { verb: "done", evidence }, caller),
  (ledger, id, caller) => ledger.setStatus([id], { verb: "reopened" }, caller),
  (ledger, id, caller) => ledger.setStatus([id], { verb: "paused" }, caller),
  (ledger, id, caller) => ledger.addDependency(id, [id === 1 ? 2 : id - 1], caller),
  (ledger, id, caller) => ledger.removeDependency(id, [id === 1 ? 2 : id - 1], caller),
  (ledger, id, caller) => ledger.claim([id], caller, 60_000),
  (ledger, id, caller) => ledger.claim([id], caller, 1000),
  (ledger, id, caller) => ledger.extend([id], caller, 3_600_000),
  (ledger, id, caller) => ledger.release([id], caller),
  (ledger, _, caller) => ledger.next({}, caller, { ttl: 60_000 }),
  (ledger, id, caller) => ledger.approve([id], "because", 60_000, caller),
  (ledger, _, caller) => ledger.sweep(caller, true),
  (ledger, _, caller) => ledger.undo(null, caller),
  (ledger, id, caller) => ledger.import([{ id: 5000 + id, title: `imported ${id}` }], caller),
];

/** Makes changes; those that the rules refuse are part of it. @returns how many were made. */
async function work(ledger: Ledger, changes: number, seed: number): Promise<number> {
  const roll = dice(seed);
  let made = 0;
  for (let n = 0; n < changes; n++) {
    const verb = VERBS[roll(VERBS.length)] ?? VERBS[0];
    const who = ["ann", "bob"][roll(2)] ?? "ann";
    const request = roll(3) === 0 ? { key: `k${seed}-${n}`, fingerprint: "f" } : undefined;
    try {
      await verb?.(ledger, 1 + roll(TASKS), { actor: who, session: "s1", request }, roll);
      made += 1;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return made;
}

it.each([1, 2, 3])(
  "the drill passes on a ledger that worked on after its backup (%d)",
  async (seed) => {
    const name = `live_${seed}`;
    const live = await server.createDatabase(name);
    const before = await PostgresLedger.open(live);
    await before.add(
      Array.from({ length: TASKS }, (_, n) => ({ title: `Task ${n}` })),
      { actor: "ann", session: "s1" },
    );
    expect(await work(before, CHANGES, seed)).toBeGreaterThan(CHANGES / 4);
    await before.close();

    const restored = await server.createDatabase(`restored_${seed}`, name);
    const after = await PostgresLedger.open(live);
    expect(await work(after, 40, seed + 100)).toBeGreaterThan(10);
    await after.close();

    const report = await runDrill({ source: live, restored, sample: 0 });
    expect(report.failures).toEqual([]);
    expect(report.events_lost).toBeGreaterThan(10);
    // Something must have been left to compare.
    expect(report.tables.find(({ table }) => table === "tasks")?.settled).toBeGreaterThan(15);
  },
  60_000,
);
