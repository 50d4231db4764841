import { expect, it } from "vitest";
import type { DumpRow } from "../dump.ts";
import { canonical } from "../dump-rows.ts";
import { ann, bob, eve, MINUTE } from "./harness.ts";
import { dice } from "./random-ledger.ts";
import {
  fill,
  lines,
  onTwo,
  rowsOf,
  seed,
  type TransferBench,
  type TransferHarness,
  type Two,
} from "./transfer-bench.ts";

const taskOf = ({ table, row }: DumpRow) => (table === "task" ? row.id : table === "event" ? null : row.task);

/** The rows of a ledger after those of a delta took the place of what was there, as text in one order. */
function carried(before: readonly DumpRow[], delta: readonly DumpRow[]): string[] {
  const named = new Set(delta.flatMap((row) => (row.table === "task" ? [row.row.id] : [])));
  const kept = before.filter((row) => !named.has(taskOf(row) ?? -1));
  return texts([...kept, ...delta]);
}

const texts = (rows: readonly DumpRow[]) => rows.map(({ table, row }) => `${table} ${canonical(row)}`).toSorted();

/** A reader that keeps up by deltas alone, over a random history. */
async function keepUp(source: TransferBench, run: number): Promise<void> {
  const roll = dice(run);
  await fill(source, roll, 30);
  let rows = await rowsOf(source);
  for (let round = 0; round < 12; round++) {
    const { seq } = await source.whole.dumpHead();
    await fill(source, roll, roll(12));
    const delta = await rowsOf(source, { after: seq, held: true });
    const now = await rowsOf(source);
    expect(carried(rows, delta)).toEqual(texts(now));
    rows = now;
  }
}

/** `dump({ after })`. */
export function deltaTests(harness: TransferHarness): void {
  const on = (test: (two: Two) => Promise<void>) => onTwo(harness, test);

  it.for([1, 2, 3, 4])("is enough to keep a copy current (seed %i)", (run, context) =>
    on(({ source }) => keepUp(source, run))(context),
  );

  it(
    "is the events after the number and the tasks they name, in the order of a dump; nothing when there are none",
    on(async ({ source }) => {
      const [a = 0, b = 0, c = 0] = await seed(source);
      const { seq } = await source.whole.dumpHead();
      expect(await rowsOf(source, { after: seq })).toEqual([]);
      await source.ledger.note([c], "one", bob);
      await source.ledger.removeDependency(a, [b], ann);
      const whole = await rowsOf(source);
      const delta = whole.filter((row) =>
        row.table === "event" ? row.row.seq > seq : [a, c].includes(taskOf(row) ?? 0),
      );
      expect(lines(await rowsOf(source, { after: seq }))).toBe(lines(delta));
      expect(delta.map((row) => row.table)).toEqual(["task", "task", "dependency", "evidence", "event", "event"]);
      expect(lines(await rowsOf(source, { after: 0 }))).toBe(lines(whole));
    }),
  );

  it(
    "has the tasks with a holder when they are asked for: a renewal need not have an event",
    on(async ({ source }) => {
      const [a = 0, b = 0] = await source.addMany(2);
      await source.ledger.claim([b], ann, MINUTE);
      const { seq } = await source.whole.dumpHead();
      await source.ledger.extend([b], ann, 30 * MINUTE);
      expect(await source.whole.dumpHead()).toMatchObject({ seq });
      expect(await rowsOf(source, { after: seq })).toEqual([]);
      const [lease] = await source.ledger.leaseStatus([b], ann);
      expect(await rowsOf(source, { after: seq, held: true })).toMatchObject([
        { table: "task", row: { id: b, lease_until: lease?.until, lease_ttl: 30 * MINUTE } },
      ]);
      expect(a).not.toBe(b);
    }),
  );

  it(
    "is refused when some of those events are not kept any more",
    on(async ({ source }) => {
      const [, b = 0] = await seed(source);
      await source.ledger.note([b], "newest", eve);
      const { through } = await source.ledger.prune((await source.now()) + 1, eve);
      await source.refused("pruned", [], () => rowsOf(source, { after: through - 1 }));
      expect((await rowsOf(source, { after: through })).length).toBeGreaterThan(0);
    }),
  );
}
