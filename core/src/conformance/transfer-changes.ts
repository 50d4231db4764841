import { expect, it } from "vitest";
import type { DumpRow, DumpTask, RestoreRow } from "../dump.ts";
import { FOREIGN } from "./foreign-copy.ts";
import { ann, bob, present } from "./harness.ts";
import {
  copyAll,
  lines,
  onTwo,
  rowsOf,
  seed,
  type TransferBench,
  type TransferHarness,
  type Two,
} from "./transfer-bench.ts";

async function taskRow(of: TransferBench, id: number): Promise<DumpTask> {
  const rows = await rowsOf(of);
  return present(rows.find((row): row is DumpRow & { table: "task" } => row.table === "task" && row.row.id === id)).row;
}

const events = (rows: readonly DumpRow[], after: number) =>
  rows.filter((row) => row.table === "event" && row.row.seq > after);

/** `restore` with rows that take the place of others. */
export function changeTests(harness: TransferHarness): void {
  const on = (test: (two: Two) => Promise<void>) => onTwo(harness, test);

  it(
    "are made where the row is what it was when it was copied; made twice they change nothing",
    on(async (two) => {
      const { source, copy } = two;
      const [a = 0, b = 0, c = 0] = await seed(source);
      await copyAll(two);
      const { seq } = await source.whole.dumpHead();
      const [was, wasC] = [await taskRow(source, a), await taskRow(source, c)];
      await source.ledger.edit([a], { title: "new", addTags: ["x"] }, ann);
      await source.ledger.removeDependency(a, [b], ann);
      await source.ledger.setStatus([c], { verb: "reopened" }, ann);
      const rows: RestoreRow[] = [
        { table: "task", row: await taskRow(source, a), was },
        { table: "task", row: await taskRow(source, c), was: wasC },
        { table: "dependency", row: null, was: { task: a, blocker: b } },
        ...events(await rowsOf(source), seq),
      ];
      const head = await source.whole.dumpHead();
      expect(await copy.whole.restore(head, rows)).toEqual({ added: 3, changed: 3, same: 0, different: [] });
      expect(lines(await rowsOf(copy))).toBe(lines(await rowsOf(source)));
      expect(await copy.whole.restore(head, rows)).toEqual({ added: 0, changed: 0, same: 6, different: [] });
      expect(lines(await rowsOf(copy))).toBe(lines(await rowsOf(source)));
    }),
  );

  it(
    "are not made where the copy has something of its own, by name",
    on(async (two) => {
      const { source, copy } = two;
      const [a = 0] = await seed(source);
      await copyAll(two);
      const was = await taskRow(source, a);
      await source.ledger.edit([a], { title: "of the source" }, ann);
      await copy.ledger.edit([a], { owner: "of the copy" }, bob);
      const before = lines(await rowsOf(copy));
      const row = await taskRow(source, a);
      const head = await source.whole.dumpHead();
      const gone = { ...row, id: 4711 };
      const different = await copy.whole.restore(head, [
        { table: "task", row, was },
        { table: "task", row: gone, was: gone },
      ]);
      expect(different).toEqual({ added: 0, changed: 0, same: 0, different: [`task ${a}`, "task 4711"] });
      expect(lines(await rowsOf(copy))).toBe(before);
    }),
  );

  it(
    "take out evidence, once, and only what is named",
    on(async (two) => {
      const { source, copy } = two;
      const [, , c = 0] = await seed(source);
      await copyAll(two);
      const head = await source.whole.dumpHead();
      const named = { task: c, path: "z", sha256: "f".repeat(64), size: 1 };
      const out = (was: typeof named) => copy.whole.restore(head, [{ table: "evidence", row: null, was }]);
      expect(await out({ ...named, size: 2 })).toMatchObject({ changed: 0, same: 1 });
      expect((await copy.get(c)).evidence).toHaveLength(1);
      expect(await out(named)).toMatchObject({ changed: 1, same: 0 });
      expect((await copy.get(c)).evidence).toEqual([]);
    }),
  );

  it(
    "keep what another program wrote, and empty what it emptied",
    on(async ({ copy }) => {
      await copy.whole.restore(FOREIGN.head, FOREIGN.rows);
      const was = await taskRow(copy, 3);
      const { big: _big, ...rest } = was.extra;
      const row: DumpTask = {
        ...was,
        status: "Doing it",
        status_raw: "Doing it",
        extra: { ...rest, score: 2.5, fresh: "column" },
      };
      const change = await copy.whole.restore(FOREIGN.head, [{ table: "task", row, was }]);
      expect(change).toEqual({ added: 0, changed: 1, same: 0, different: [] });
      expect(JSON.parse(JSON.stringify(await taskRow(copy, 3)))).toEqual(row);
      expect(await taskRow(copy, 4)).toEqual(FOREIGN.rows[1]?.row);
    }),
  );
}
