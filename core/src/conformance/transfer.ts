import { describe, expect, it } from "vitest";
import type { DumpRow } from "../dump.ts";
import { FOREIGN } from "./foreign-copy.ts";
import { ann, bob, eve, MINUTE, present } from "./harness.ts";
import { dice } from "./random-ledger.ts";
import {
  answersOf,
  copyAll,
  fill,
  lines,
  onTwo,
  rowsOf,
  sameTime,
  seed,
  stepBoth,
  type TransferHarness,
  type Two,
  total,
} from "./transfer-bench.ts";
import { changeTests } from "./transfer-changes.ts";
import { deltaTests } from "./transfer-delta.ts";

type Row<T extends DumpRow["table"]> = Extract<DumpRow, { table: T }>["row"];

/** A random history is copied in pieces of random sizes; then both go on, and stay the same. */
async function randomCopy(two: Two, run: number): Promise<void> {
  const { source, copy } = two;
  const roll = dice(run);
  await fill(source, roll, 90);
  if (run % 3 === 0) await source.ledger.prune((await source.now()) - 30 * MINUTE, eve);
  sameTime(two);
  const head = await source.whole.dumpHead();
  const copied = await copyAll(two, () => 1 + roll(40));
  expect(copied).toEqual({ added: total(head), changed: 0, same: 0, different: [] });
  expect(lines(await rowsOf(copy))).toBe(lines(await rowsOf(source)));
  expect(await copy.whole.dumpHead()).toEqual(head);
  expect(await answersOf(copy)).toEqual(await answersOf(source));
  await stepBoth(two, roll, 60);
  if (source.clock && copy.clock) expect(lines(await rowsOf(copy))).toBe(lines(await rowsOf(source)));
}

/** Whole copies: `dump` and `restore`, from one store into another. */
export function transferSuite(name: string, harness: TransferHarness): void {
  const on = (test: (two: Two) => Promise<void>) => onTwo(harness, test);
  describe(`${name}: what came since`, () => deltaTests(harness));
  describe(`${name}: changes of a copy`, () => changeTests(harness));

  describe(`${name}: a copy`, () => {
    it.for(Array.from({ length: 8 }, (_, i) => i + 1))(
      "of a random ledger (seed %i) is the same row by row, and does as the source does",
      (run, context) => on((two) => randomCopy(two, run))(context),
    );

    it(
      "has tasks by id, dependencies, evidence, and events by number, as many as its head says",
      on(async ({ source }) => {
        const ids = await seed(source);
        const rows = await rowsOf(source);
        const of = <T extends DumpRow["table"]>(table: T) =>
          rows.flatMap((row) => (row.table === table ? [row.row as Row<T>] : []));
        const order = ["task", "dependency", "evidence", "event"] as const;
        expect(rows.map((row) => row.table)).toEqual(order.flatMap((table) => of(table).map(() => table)));
        expect(of("task").map((task) => task.id)).toEqual(ids);
        expect(of("dependency")).toEqual(ids.slice(1).map((blocker) => ({ task: ids[0], blocker })));
        expect(of("evidence")).toEqual([{ task: ids[2], path: "z", sha256: "f".repeat(64), size: 1 }]);
        expect(of("event")).toEqual(await source.ledger.events({}));
        const head = await source.whole.dumpHead();
        const newest = present(of("event").at(-1));
        expect(head).toEqual({
          ledger: (await source.ledger.stats()).ledger,
          seq: newest.seq,
          at: newest.at,
          pruned: 0,
          rows: { task: 3, dependency: 2, evidence: 1, event: newest.seq },
        });
        const {
          lease_state: _,
          blocked_by: _blockers,
          evidence: _files,
          ...task
        } = present((await source.ledger.list({ sort: [{ key: "id", descending: false }], limit: 2 })).tasks[1]);
        expect(of("task")[1]).toEqual({ ...task, lease_ttl: 10 * MINUTE });
        expect(of("task")[2]).toMatchObject({ lease_ttl: null });
      }),
    );

    it(
      "is of one moment, whatever is written while it is made",
      on(async ({ source }) => {
        const [a = 0] = await seed(source);
        const before = lines(await rowsOf(source));
        const rows: DumpRow[] = [];
        for await (const row of source.whole.dump()) {
          if (rows.length < 3) {
            await source.ledger.add([{ title: "late" }], ann);
            await source.ledger.edit([a], { owner: `${rows.length}` }, ann);
          }
          rows.push(row);
        }
        expect(lines(rows)).toBe(before);
        expect(lines(await rowsOf(source))).not.toBe(before);
      }),
    );

    it(
      "can be left off in the middle of reading",
      on(async ({ source }) => {
        await seed(source);
        for await (const row of source.whole.dump()) if (row.table === "dependency") break;
        await source.addOne();
        expect((await rowsOf(source)).length).toBe(total(await source.whole.dumpHead()));
      }),
    );

    it(
      "of an empty ledger is that ledger, and stays empty",
      on(async (two) => {
        expect(await copyAll(two)).toEqual({ added: 0, changed: 0, same: 0, different: [] });
        expect(await two.copy.whole.dumpHead()).toEqual(await two.source.whole.dumpHead());
        expect(await two.copy.addOne()).toBe(await two.source.addOne());
      }),
    );

    it(
      "goes on where it stopped; made twice it adds nothing",
      on(async (two) => {
        const { source, copy } = two;
        await seed(source);
        const head = await source.whole.dumpHead();
        const rows = await rowsOf(source);
        expect(await copy.whole.restore(head, rows.slice(0, 5))).toEqual({
          added: 5,
          changed: 0,
          same: 0,
          different: [],
        });
        expect(await copyAll(two, () => 3)).toEqual({ added: rows.length - 5, changed: 0, same: 5, different: [] });
        expect(await copyAll(two)).toEqual({ added: 0, changed: 0, same: rows.length, different: [] });
        expect(lines(await rowsOf(copy))).toBe(lines(rows));
      }),
    );

    it(
      "takes rows in any order of their members",
      on(async ({ source, copy }) => {
        await seed(source);
        const head = await source.whole.dumpHead();
        const rows = await rowsOf(source);
        await copy.whole.restore(head, rows);
        const turned = rows.map((row) => JSON.parse(JSON.stringify(row), turn) as DumpRow);
        expect(JSON.stringify(turned)).not.toBe(JSON.stringify(rows));
        expect(await copy.whole.restore(head, turned)).toEqual({
          added: 0,
          changed: 0,
          same: rows.length,
          different: [],
        });
      }),
    );

    it(
      "brings what came since, and leaves alone what is different, by name",
      on(async (two) => {
        const { source, copy } = two;
        const [a = 0, b = 0, c = 0] = await seed(source);
        await copyAll(two);
        const { seq } = await copy.whole.dumpHead();
        await copy.ledger.edit([a], { title: "of the copy" }, ann);
        await source.ledger.edit([c], { title: "of the source" }, bob);
        const id = await source.addOne({ title: "new" });
        const before = await copy.ledger.get([a, b, c]);
        const { added, different } = await copyAll(two);
        // The source's event of c has the number that the copy gave its own.
        expect(different).toEqual([`task ${a}`, `task ${c}`, `event ${seq + 1}`]);
        expect(added).toBe(2);
        expect(await copy.ledger.get([a, b, c])).toEqual(before);
        expect(await copy.get(id)).toMatchObject({ title: "new", history: [{ seq: seq + 2, kind: "added" }] });
      }),
    );

    it(
      "keeps what another program wrote: its words, its columns, its leases without an end",
      on(async ({ copy }) => {
        expect(await copy.whole.restore(FOREIGN.head, FOREIGN.rows)).toMatchObject({ different: [] });
        expect(await rowsOf(copy)).toEqual(FOREIGN.rows);
        expect(await copy.whole.dumpHead()).toEqual(FOREIGN.head);
        expect(await copy.whole.restore(FOREIGN.head, FOREIGN.rows)).toMatchObject({ added: 0, different: [] });
        const [doing] = (await copy.ledger.list({ status: ["Doing"], priority: [] })).tasks;
        expect(doing).toMatchObject({ id: 3, status: "open", status_raw: "Doing", priority: null });
        expect(doing?.extra).toMatchObject({ version: "v1.2", score: 1.5, big: "9223372036854775806" });
        await copy.refused("held", [3], () => copy.ledger.claim([3], ann, MINUTE));
        const [edited] = await copy.ledger.edit([4], { title: "now it has one" }, ann);
        expect(edited).toMatchObject({ id: 4, version: 2, status: "weird", priority: 1, priority_raw: "HIGH" });
      }),
    );

    it(
      "is never made into another ledger",
      on(async ({ source, copy }) => {
        const [a = 0] = await seed(source);
        const mine = await copy.addOne({ title: "mine" });
        const head = await source.whole.dumpHead();
        const rows = await rowsOf(source);
        const { ledger } = await copy.ledger.stats();
        expect(ledger).not.toBe(head.ledger);
        await copy.refused("constraint", [mine], () => copy.whole.restore(head, rows));
        await copy.refused("constraint", [mine], () => copy.whole.restore(head, []));
        expect((await copy.ledger.stats()).ledger).toBe(ledger);
        await source.refused("constraint", [a], async () => source.whole.restore(await copy.whole.dumpHead(), []));
      }),
    );

    it(
      "goes on with higher numbers and later times than the source's",
      on(async (two) => {
        const { source, copy } = two;
        await seed(source);
        const highest = await source.addOne();
        const head = await source.whole.dumpHead();
        await copyAll(two);
        expect(await copy.addOne()).toBe(highest + 1);
        const [event] = await copy.ledger.events({ last: 1 });
        expect(present(event).seq).toBe(head.seq + 1);
        expect(present(event).at).toBeGreaterThanOrEqual(head.at);
      }),
    );

    it(
      "knows who was superseded, and where its journal begins",
      on(async (two) => {
        const { source, copy } = two;
        const [, b = 0] = await seed(source);
        await source.ledger.note([b], "newest", eve);
        const { through } = await source.ledger.prune((await source.now()) + 1, eve);
        expect(through).toBeGreaterThan(0);
        sameTime(two);
        await copyAll(two);
        await copy.refused("fenced", [b], () => copy.ledger.edit([b], { title: "late" }, ann));
        await copy.refused("pruned", [], () => copy.ledger.events({ after: through - 1 }));
        expect(await copy.ledger.events({ after: through })).toEqual(await source.ledger.events({ after: through }));
      }),
    );
  });
}

/** A reviver that turns the members of objects round. */
function turn(_name: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toReversed());
}
