import { describe, expect, it } from "vitest";
import type { Evidence } from "../task.ts";
import { ann, bob, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** Moving tasks from status to status, linking them, and remarks. */
export function statusTests(harness: Harness): void {
  moveTests(harness);
  dependencyTests(harness);
  noteTests(harness);
}

const FILE: Evidence = { path: "out/report.pdf", sha256: "a".repeat(64), size: 12 };

const MOVES = [
  ["done", "done"],
  ["ready", "ready"],
  ["paused", "paused"],
  ["cancelled", "cancelled"],
] as const;

function moveTests(harness: Harness): void {
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
        const before = await t.get(a);
        await expect(t.ledger.addDependency(a, [b, a], ann)).rejects.toMatchObject({
          name: "BadInput",
          message: "A task cannot wait for itself.",
        });
        expect(await t.get(a)).toEqual(before);
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
