import { describe, expect, it } from "vitest";
import { ann, bob, type Harness, MINUTE, onLedger, present, refusalOf } from "./harness.ts";

/** Adding, reading and changing tasks. */
export function taskTests(harness: Harness): void {
  addTests(harness);
  editTests(harness);
}

function addTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("add", () => {
    it(
      "stores every field and gives ids that rise",
      on(async (t) => {
        const blocker = await t.addOne();
        const due = Date.UTC(2026, 4, 8, 12, 30, 0, 123);
        const fields = {
          title: "Écrire 'the' \"report\"; -- 日本語 🚀",
          description: "two\nlines",
          status: "ready" as const,
          priority: 0 as const,
          project: "alpha",
          owner: "zoë",
          tags: ["a b", 'c"d', "é"],
          parent: blocker,
          due,
          deferred_until: due + 1,
          dedup_key: "k-1",
        };
        const [added] = await t.ledger.add([{ ...fields, blocked_by: [blocker] }], bob);
        const { task } = present(added);
        expect(present(added).existing).toBe(false);
        expect(task.id).toBeGreaterThan(blocker);
        expect(task).toMatchObject({ ...fields, blocked_by: [blocker], status_raw: null, priority_raw: null });
        expect(task).toMatchObject({ version: 1, evidence: [], done_at: null, lease_state: "free", fence: 0 });
        expect(task.created_at).toBe(task.updated_at);
        const detail = await t.get(task.id);
        expect(detail).toMatchObject(task);
        expect(detail.history).toMatchObject([{ kind: "added", actor: "bob", session: "s1", task: task.id }]);
        expect(await t.get(blocker)).toMatchObject({ blocks: [task.id], children: [task.id] });
      }),
    );

    it(
      "fills in open, priority 2 and nothing else",
      on(async (t) => {
        expect(await t.get(await t.addOne())).toMatchObject({
          title: "work",
          description: null,
          status: "open",
          priority: 2,
          project: null,
          owner: null,
          tags: [],
          parent: null,
          blocked_by: [],
          due: null,
          deferred_until: null,
          dedup_key: null,
          blocks: [],
          children: [],
          extra: {},
        });
      }),
    );

    it(
      "finds the task of a dedup key instead of adding it again, even when many ask at once",
      on(async (t) => {
        const second = await t.second();
        const all = await Promise.all(
          Array.from({ length: 6 }, (_, i) =>
            (i % 2 ? second : t.ledger).add([{ title: `try ${i}`, dedup_key: "once" }], ann),
          ),
        );
        const added = all.flat();
        expect(new Set(added.map(({ task }) => task.id)).size).toBe(1);
        expect(added.filter(({ existing }) => !existing)).toHaveLength(1);
        expect((await t.ledger.stats()).total).toBe(1);
        const [inOneGo, twice] = await t.ledger.add(
          [
            { title: "a", dedup_key: "two" },
            { title: "b", dedup_key: "two" },
          ],
          ann,
        );
        expect(present(twice)).toMatchObject({ existing: true, task: { id: present(inOneGo).task.id, title: "a" } });
      }),
    );

    it(
      "adds all or none, and refuses links to tasks that are not there",
      on(async (t) => {
        await t.refused("not_found", [], () => t.ledger.add([{ title: "a" }, { title: "b", parent: 987_654 }], ann));
        await t.refused("not_found", [], () => t.ledger.add([{ title: "a", blocked_by: [987_654] }], ann));
      }),
    );
  });

  describe("get", () => {
    it(
      "gives tasks in the order asked, and refuses unknown ids",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        expect((await t.ledger.get([c, a, b])).map((task) => task.id)).toEqual([c, a, b]);
        const refusal = await refusalOf(t.ledger.get([a, 987_654]));
        expect(refusal).toMatchObject({ code: "not_found" });
        expect((await refusalOf(t.ledger.get([987_654]))).taskId).toBe(987_654);
      }),
    );
  });
}

function editTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("edit", () => {
    it(
      "changes what is given, clears what is null, leaves the rest; version rises by one",
      on(async (t) => {
        const id = await t.addOne({ title: "old", project: "p", owner: "o", tags: ["a", "b"], description: "d" });
        t.clock?.advance(5);
        const [task] = await t.ledger.edit(
          [id],
          { title: "new", priority: 0, project: null, addTags: ["c", "a"], removeTags: ["b"], due: 1_800_000_000_123 },
          ann,
        );
        expect(task).toMatchObject({ title: "new", priority: 0, project: null, owner: "o", description: "d" });
        expect(task).toMatchObject({ tags: ["a", "c"], due: 1_800_000_000_123, version: 2 });
        if (t.clock) expect(present(task).updated_at).toBe(t.clock.now());
        const event = present((await t.ledger.events({ task: id })).at(-1));
        expect(event).toMatchObject({ kind: "edited", actor: "ann" });
        expect(event.data.changes).toMatchObject({ title: ["old", "new"], project: ["p", null], priority: [2, 0] });
        const [cleared] = await t.ledger.edit([id], { due: null, description: null, owner: null }, ann);
        expect(cleared).toMatchObject({ due: null, description: null, owner: null, version: 3 });
      }),
    );

    it(
      "that changes nothing writes nothing",
      on(async (t) => {
        const id = await t.addOne({ title: "same", tags: ["a"] });
        const before = await t.get(id);
        await t.ledger.edit([id], { title: "same", addTags: ["a"], project: null }, ann);
        expect(await t.get(id)).toEqual(before);
      }),
    );

    it(
      "with a version refuses when someone changed it since",
      on(async (t) => {
        const id = await t.addOne();
        await t.ledger.edit([id], { title: "one" }, ann, 1);
        const refusal = await t.refused("version_conflict", [id], () => t.ledger.edit([id], { title: "two" }, bob, 1));
        expect(refusal.message).toContain("version 2");
        await t.ledger.edit([id], { title: "two" }, bob, 2);
      }),
    );

    it(
      "changes several or none",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        await t.claim(c, bob, 10 * MINUTE);
        const refusal = await t.refused("not_found", [a, b, c], () =>
          t.ledger.edit([a, 987_654, b, c], { owner: "x" }, ann),
        );
        expect(refusal.failures?.map(({ id, code }) => [id, code])).toEqual([
          [987_654, "not_found"],
          [c, "held"],
        ]);
        expect((await t.ledger.edit([a, b], { owner: "x" }, ann)).map((task) => task.owner)).toEqual(["x", "x"]);
      }),
    );

    it(
      "refuses a parent that is the task itself, below it, or not there",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        await t.ledger.edit([b], { parent: a }, ann);
        await t.ledger.edit([c], { parent: b }, ann);
        await t.refused("cycle", [a, b, c], () => t.ledger.edit([a], { parent: c }, ann));
        await t.refused("cycle", [a], () => t.ledger.edit([a], { parent: a }, ann));
        await t.refused("not_found", [a], () => t.ledger.edit([a], { parent: 987_654 }, ann));
        expect((await t.get(a)).children).toEqual([b]);
      }),
    );

    it(
      "by the holder renews its lease for as long as it was granted",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann, 10 * MINUTE);
        clock.advance(MINUTE);
        await t.ledger.edit([id], { title: "x" }, ann);
        expect((await t.status(id)).until).toBe(until + MINUTE);
        clock.advance(MINUTE);
        await t.ledger.note([id], "x", ann);
        expect((await t.status(id)).until).toBe(until + 2 * MINUTE);
        clock.advance(MINUTE);
        await t.ledger.note([id], "x", bob);
        expect((await t.status(id)).until).toBe(until + 2 * MINUTE);
      }),
    );
  });
}
