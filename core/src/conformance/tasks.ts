import { describe, expect, it } from "vitest";
import type { Evidence } from "../task.ts";
import { ann, bob, type Harness, MINUTE, onLedger, present, refusalOf } from "./harness.ts";

/** Adding, changing and linking tasks. */
export function taskTests(harness: Harness): void {
  addTests(harness);
  editTests(harness);
  statusTests(harness);
  dependencyTests(harness);
  noteTests(harness);
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

const FILE: Evidence = { path: "out/report.pdf", sha256: "a".repeat(64), size: 12 };

const MOVES = [
  ["done", "done"],
  ["ready", "ready"],
  ["paused", "paused"],
  ["cancelled", "cancelled"],
] as const;

function statusTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("done, ready, paused, reopened, cancelled", () => {
    for (const [verb, status] of MOVES)
      it(
        `${verb} moves the task and ends the holder's lease in one step`,
        on(async (t) => {
          const id = await t.addOne({ status: verb === "ready" ? "open" : "ready" });
          await t.claim(id, ann, 10 * MINUTE);
          const [task] = await t.ledger.setStatus([id], { verb, reason: "because" }, ann);
          expect(task).toMatchObject({ status, lease_state: "free", lease_holder: null, fence: 1, version: 2 });
          const event = present((await t.ledger.events({ task: id })).at(-1));
          expect(event).toMatchObject({ kind: verb, fence: 1, actor: "ann", session: "s1" });
          expect(event.data).toMatchObject({ reason: "because" });
          expect(await t.kinds(id)).toEqual(["added", "acquired", verb]);
        }),
      );

    it(
      "reopened leaves the holder its lease",
      on(async (t) => {
        const id = await t.addOne({ status: "ready" });
        await t.claim(id, ann, 10 * MINUTE);
        const [task] = await t.ledger.setStatus([id], { verb: "reopened" }, ann);
        expect(task).toMatchObject({ status: "open", lease_state: "held", lease_holder: "ann:s1", fence: 1 });
      }),
    );

    it(
      "done sets the time, reopened clears it; twice is done already and writes nothing",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        t.clock?.advance(1000);
        const [done] = await t.ledger.setStatus([id], { verb: "done" }, ann);
        expect(present(present(done).done_at)).toBeGreaterThanOrEqual(present(present(done).created_at));
        if (t.clock) expect(present(done).done_at).toBe(t.clock.now());
        const before = await t.get(id);
        await t.ledger.setStatus([id], { verb: "done" }, ann);
        expect(await t.get(id)).toEqual(before);
        const [open] = await t.ledger.setStatus([id], { verb: "reopened" }, bob);
        expect(open).toMatchObject({ status: "open", done_at: null, fence: 1 });
      }),
    );

    it(
      "done keeps its evidence, and a retry does not keep it twice",
      on(async (t) => {
        const id = await t.addOne();
        const change = { verb: "done" as const, evidence: [FILE], requireEvidence: true };
        await t.ledger.setStatus([id], change, ann);
        t.clock?.advance(1000);
        const before = await t.get(id);
        expect(before.evidence).toEqual([FILE]);
        await t.ledger.setStatus([id], change, ann);
        expect(await t.get(id)).toEqual(before);
      }),
    );

    it(
      "done can demand evidence, given now or before",
      on(async (t) => {
        const id = await t.addOne();
        const bare = { verb: "done" as const, requireEvidence: true };
        await t.refused("evidence_required", [id], () => t.ledger.setStatus([id], bare, ann));
        await t.ledger.setStatus([id], { verb: "paused", evidence: [FILE] }, ann);
        const [task] = await t.ledger.setStatus([id], bare, ann);
        expect(task).toMatchObject({ status: "done", evidence: [FILE] });
      }),
    );

    it(
      "changes several or none",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(b, bob, 10 * MINUTE);
        const refusal = await t.refused("held", [a, b], () => t.ledger.setStatus([a, b], { verb: "done" }, ann));
        expect(refusal.failures).toMatchObject([{ id: b, code: "held" }]);
        await t.ledger.setStatus([b], { verb: "done" }, bob);
        const tasks = await t.ledger.setStatus([a, b], { verb: "reopened" }, ann);
        expect(tasks.map((task) => task.status)).toEqual(["open", "open"]);
      }),
    );
  });
}

function dependencyTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("dependencies", () => {
    it(
      "block claiming until every blocker is closed",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        const task = await t.ledger.addDependency(a, [b, c], ann);
        expect(task).toMatchObject({ blocked_by: [b, c], version: 2 });
        expect((await t.get(b)).blocks).toEqual([a]);
        const refusal = await t.refused("blocked", [a], () => t.claim(a, ann));
        expect(refusal.message).toContain(`task ${b}`);
        expect(refusal.message).toContain(`task ${c}`);
        await t.ledger.setStatus([b], { verb: "done" }, ann);
        await t.refused("blocked", [a], () => t.claim(a, ann));
        await t.ledger.setStatus([c], { verb: "cancelled" }, ann);
        expect(await t.claim(a, ann)).toMatchObject({ fence: 1 });
      }),
    );

    it(
      "do not stop who holds the task already from claiming again",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(a, ann, 10 * MINUTE);
        await t.ledger.addDependency(a, [b], ann);
        expect(await t.claim(a, ann)).toMatchObject({ fence: 1, idempotent: true });
      }),
    );

    it(
      "can be removed; one that is not there is not found",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        await t.ledger.addDependency(a, [b], ann);
        await t.refused("not_found", [a], () => t.ledger.removeDependency(a, [c], ann));
        await t.refused("not_found", [a], () => t.ledger.removeDependency(a, [b, c], ann));
        expect(await t.ledger.removeDependency(a, [b], ann)).toMatchObject({ blocked_by: [], version: 3 });
        expect(await t.kinds(a)).toEqual(["added", "dep_added", "dep_removed"]);
        await t.claim(a, ann);
      }),
    );

    it(
      "added twice are there once, and the second writes nothing",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.ledger.addDependency(a, [b], ann);
        const before = await t.get(a);
        await t.ledger.addDependency(a, [b], ann);
        expect(await t.get(a)).toEqual(before);
      }),
    );

    it(
      "refuse cycles of any length, and tasks that are not there, all or nothing",
      on(async (t) => {
        const [a = 0, b = 0, c = 0, d = 0] = await t.addMany(4);
        await t.refused("cycle", [a], () => t.ledger.addDependency(a, [a], ann));
        await t.ledger.addDependency(a, [b], ann);
        await t.refused("cycle", [a, b], () => t.ledger.addDependency(b, [a], ann));
        await t.ledger.addDependency(b, [c], ann);
        await t.refused("cycle", [a, b, c, d], () => t.ledger.addDependency(c, [d, a], ann));
        await t.refused("not_found", [a], () => t.ledger.addDependency(a, [d, 987_654], ann));
        await t.refused("not_found", [a], () => t.ledger.addDependency(987_654, [a], ann));
      }),
    );
  });
}

function noteTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("note", () => {
    it(
      "is allowed to anyone, held or not, and leaves the row as it was",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(a, ann, 10 * MINUTE);
        const { history: _, ...row } = await t.get(a);
        const events = await t.ledger.note([a, b], "seen: «50 %»", bob);
        expect(events).toMatchObject([
          { task: a, kind: "noted", actor: "bob", session: "s1", fence: 1, data: { text: "seen: «50 %»" } },
          { task: b, kind: "noted" },
        ]);
        const { history, ...after } = await t.get(a);
        expect(after).toEqual(row);
        expect(history.at(-1)).toEqual(events[0]);
      }),
    );

    it(
      "refuses unknown tasks, and nothing of several is kept then; an empty text is bad input",
      on(async (t) => {
        const id = await t.addOne();
        await t.refused("not_found", [id], () => t.ledger.note([id, 987_654], "x", bob));
        await expect(t.ledger.note([id], "  ", bob)).rejects.toMatchObject({ code: "bad_input" });
      }),
    );
  });
}
