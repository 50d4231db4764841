import { expect, type TestContext } from "vitest";
import type { DumpHead, DumpQuery, DumpRow, Restored, Transferable } from "../dump.ts";
import type { Ledger } from "../ledger.ts";
import { ann, Bench, bob, eve, MINUTE, type OpenedLedger } from "./harness.ts";
import { CALLERS, type Dice, drawStep, outcomeOf } from "./random-ledger.ts";

/** One empty ledger that can be copied. */
export interface OpenedTransferable extends OpenedLedger {
  readonly ledger: Ledger & Transferable;
}

/** Stores that copies are made between. */
export interface TransferHarness {
  /** Opens an empty ledger to copy from. */
  open(): Promise<OpenedTransferable>;
  /** Opens an empty ledger to copy into; absent: as `open`. */
  target?(): Promise<OpenedTransferable>;
}

export class TransferBench extends Bench {
  readonly whole: Ledger & Transferable;

  constructor(opened: OpenedTransferable, context: TestContext) {
    super(opened, context);
    this.whole = opened.ledger;
  }
}

export interface Two {
  readonly source: TransferBench;
  readonly copy: TransferBench;
}

export async function rowsOf(of: TransferBench, query?: DumpQuery): Promise<DumpRow[]> {
  const rows: DumpRow[] = [];
  for await (const row of of.whole.dump(query)) rows.push(row);
  return rows;
}

export const lines = (rows: readonly DumpRow[]) => rows.map((row) => JSON.stringify(row)).join("\n");

/** Copies all of it, in pieces of `size()` rows. */
export async function copyAll({ source, copy }: Two, size: () => number = () => 1000): Promise<Restored> {
  const head = await source.whole.dumpHead();
  const rows = await rowsOf(source);
  const sum = { added: 0, changed: 0, same: 0, different: [] as string[] };
  do {
    const piece = await copy.whole.restore(head, rows.splice(0, size()));
    sum.added += piece.added;
    sum.changed += piece.changed;
    sum.same += piece.same;
    sum.different.push(...piece.different);
  } while (rows.length > 0);
  return sum;
}

export const total = (head: DumpHead) => Object.values(head.rows).reduce((sum, n) => sum + n, 0);

/** A ledger with some of everything. */
export async function seed(t: Bench): Promise<number[]> {
  const [a = 0, b = 0, c = 0] = await t.addMany(3);
  await t.ledger.addDependency(a, [b, c], ann);
  await t.ledger.setStatus([c], { verb: "done", evidence: [{ path: "z", sha256: "f".repeat(64), size: 1 }] }, bob);
  await t.supersede(b, ann, bob);
  await t.ledger.approve([b], "hotfix", 60 * MINUTE, eve);
  return [a, b, c];
}

/** Random steps; time goes on in between where it can be moved. */
export async function fill(t: TransferBench, roll: Dice, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    t.clock?.advance(roll(3 * MINUTE));
    await outcomeOf(drawStep(roll, await t.now())(t.ledger));
  }
}

/** All that can be asked of a ledger without changing it. What tells the time is left out where the clocks are two. */
export async function answersOf(t: TransferBench) {
  const { tasks } = await t.ledger.list({ status: [] });
  const ids = tasks.map((task) => task.id);
  const { store: _store, kind: _kind, schema: _schema, now: _now, ...stats } = await t.ledger.stats();
  return {
    tasks,
    stats,
    details: await t.ledger.get(ids),
    orders: [
      (await t.ledger.list({ sort: [{ key: "title", descending: true }] })).tasks,
      (await t.ledger.list({})).tasks,
    ],
    leases: t.clock && (await Promise.all(CALLERS.map((by) => t.ledger.leaseStatus(ids, by)))),
    approvals: await Promise.all(ids.map((id) => t.ledger.approvals(id))),
    next: await outcomeOf(t.ledger.next({}, ann, null)),
    events: await t.ledger.events({}),
  };
}

/** Sets the copy's clock to the source's, where they can be moved. */
export function sameTime({ source, copy }: Two): void {
  if (source.clock) copy.clock?.set(source.clock.now());
}

/** The same random steps on both: each does as the other. Where their clocks are two, only as far as time is not told. */
export async function stepBoth(two: Two, roll: Dice, steps: number): Promise<void> {
  const { source, copy } = two;
  for (let i = 0; i < steps; i++) {
    source.clock?.advance(roll(2 * MINUTE));
    sameTime(two);
    const step = drawStep(roll, await source.now());
    const there = await outcomeOf(step(source.ledger));
    const here = await outcomeOf(step(copy.ledger));
    if (source.clock && copy.clock) expect(here).toEqual(there);
    else expect(Object.keys(here)).toEqual(Object.keys(there));
  }
}

/** A test body: opens two empty ledgers, runs `test`, closes them whatever happens. */
export function onTwo(harness: TransferHarness, test: (two: Two) => Promise<void>) {
  return async (context: TestContext): Promise<void> => {
    const source = await harness.open();
    try {
      const copy = await (harness.target ?? harness.open).call(harness);
      try {
        await test({ source: new TransferBench(source, context), copy: new TransferBench(copy, context) });
      } finally {
        await copy.close();
      }
    } finally {
      await source.close();
    }
  };
}
