import { describe, expect, it } from "vitest";
import type { ImportLine } from "../ledger.ts";
import { ann, type Harness, onLedger, present } from "./harness.ts";

const CREATED = Date.UTC(2024, 1, 29, 12, 0, 0, 5);

/** `import`: ids, links, and doing it twice. */
export function importTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("import", () => {
    it(
      "keeps ids that are free, and every field",
      on(async (t) => {
        const line: ImportLine = {
          id: 500,
          title: "old work",
          status: "done",
          priority: 1,
          project: "p",
          owner: "o",
          tags: ["x"],
          created_at: CREATED,
          done_at: CREATED + 1000,
          due: CREATED + 5,
          notes: ["first", "second"],
          evidence: [{ path: "a.txt", sha256: "b".repeat(64), size: 3 }],
        };
        expect(await t.ledger.import([line], ann)).toEqual({ added: 1, existing: 0, unresolved: 0, renumbered: {} });
        const { notes, ...fields } = line;
        const task = await t.get(500);
        expect(task).toMatchObject({ ...fields, fence: 0, lease_state: "free" });
        expect(task.history.filter((event) => event.kind === "noted").map((event) => event.data.text)).toEqual(notes);
        expect(task.history[0]).toMatchObject({ kind: "imported", actor: "ann" });
        expect(await t.addOne()).toBeGreaterThan(500);
      }),
    );

    it(
      "renumbers an id at the end of the range: the next tasks would have none",
      on(async (t) => {
        const most = 2 ** 31 - 1;
        const { renumbered } = await t.ledger.import([{ id: most, title: "the last" }], ann);
        const moved = present(renumbered[most]);
        expect(await t.get(moved)).toMatchObject({ title: "the last" });
        expect(await t.addOne()).toBe(moved + 1);
      }),
    );

    it(
      "renumbers ids that are taken, and follows parent and blockers, forward references too",
      on(async (t) => {
        const here = await t.addOne({ title: "mine" });
        const other = here + 1000;
        const lines: ImportLine[] = [
          { id: here, title: "theirs", parent: other, blocked_by: [other, 987_654] },
          { id: other, title: "their parent" },
          { title: "no id", parent: here, blocked_by: [here] },
        ];
        const { added, renumbered } = await t.ledger.import(lines, ann);
        expect(added).toBe(3);
        expect(Object.keys(renumbered)).toEqual([`${here}`]);
        const moved = present(renumbered[here]);
        expect(await t.get(moved)).toMatchObject({ title: "theirs", parent: other, blocked_by: [other] });
        expect((await t.get(here)).title).toBe("mine");
        const [child] = (await t.ledger.list({ text: ["no id"] })).tasks;
        expect(child).toMatchObject({ parent: moved, blocked_by: [moved] });
        expect(await t.get(here)).toMatchObject({ blocks: [], children: [] });
      }),
    );

    it(
      "adds nothing the second time, renumbered or not",
      on(async (t) => {
        const here = await t.addOne({ title: "mine" });
        const lines: ImportLine[] = [
          { id: here, title: "theirs", created_at: CREATED },
          { id: here + 1000, title: "kept", created_at: CREATED, notes: ["n"] },
          { id: here + 1001, title: "no time of creation", blocked_by: [here] },
          { title: "by key", dedup_key: "k" },
        ];
        const first = await t.ledger.import(lines, ann);
        expect(first).toMatchObject({ added: 4, existing: 0 });
        const before = await t.ledger.stats();
        const second = await t.ledger.import(lines, ann);
        expect(second).toEqual({ added: 0, existing: 4, unresolved: 0, renumbered: first.renumbered });
        const { now: _, ...after } = await t.ledger.stats();
        expect(before).toMatchObject(after);
      }),
    );

    it(
      "imports all or nothing",
      on(async (t) => {
        const lines: ImportLine[] = [
          { id: 1, title: "a", blocked_by: [2] },
          { id: 2, title: "b", blocked_by: [1] },
        ];
        await t.refused("cycle", [], () => t.ledger.import(lines, ann));
      }),
    );
  });
}
