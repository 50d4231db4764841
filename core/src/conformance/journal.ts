import { describe, expect, it } from "vitest";
import { monotonic } from "../monotonic.ts";
import { ann, bob, eve, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** The journal, approvals, and waiting for changes. */
export function journalTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("events", () => {
    it(
      "are numbered 1, 2, 3, … in commit order over all connections; refusals leave no gap and no line",
      on(async (t) => {
        const second = await t.second();
        const ids = await t.addMany(4);
        const outcomes = await Promise.allSettled<unknown>(
          Array.from({ length: 24 }, (_, i) => {
            const by = { actor: "w", session: `${i}` };
            const id = present(ids[i % 4]);
            const ledger = i % 5 < 2 ? second : t.ledger;
            return i % 3 ? ledger.claim([id], by, 10 * MINUTE) : ledger.note([id], `n${i}`, by);
          }),
        );
        const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
        expect(codes).toEqual(Array(12).fill("held"));
        const events = await t.ledger.events({});
        expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
        expect(events.length).toBe((await t.ledger.stats()).events);
        expect(events.filter((event) => event.kind === "acquired")).toHaveLength(4);
        expect(events.filter((event) => event.kind === "noted")).toHaveLength(8);
        const times = events.map((event) => event.at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(await second.events({})).toEqual(events);
      }),
    );

    it(
      "can be read after a number, of one task, a few, or the last few, oldest first",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        for (let i = 0; i < 5; i++) await t.ledger.note([i % 2 ? b : a], `${i}`, ann);
        const seqs = async (query: Parameters<typeof t.ledger.events>[0]) =>
          (await t.ledger.events(query)).map((event) => event.seq);
        expect(await seqs({ after: 5 })).toEqual([6, 7]);
        expect(await seqs({ after: 7 })).toEqual([]);
        expect(await seqs({ task: b })).toEqual([2, 4, 6]);
        expect(await seqs({ after: 2, limit: 2 })).toEqual([3, 4]);
        expect(await seqs({ last: 2 })).toEqual([6, 7]);
        expect(await seqs({ task: a, last: 2 })).toEqual([5, 7]);
      }),
    );

    it(
      "of a task that there is not are refused as not found; of one without news there are none",
      on(async (t) => {
        const id = await t.addOne();
        expect(await t.ledger.events({ task: id, after: 1 })).toEqual([]);
        for (const query of [{}, { after: 1 }, { last: 5 }, { limit: 5 }]) {
          const refusal = await t.refused("not_found", [id], () => t.ledger.events({ task: id + 1, ...query }));
          expect(refusal.taskId).toBe(id + 1);
        }
      }),
    );

    it(
      "tell a lease's whole story, with fences that rise by one",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        await t.ledger.release([id], ann);
        await t.lapse(id, ann);
        await t.claim(id, bob);
        await t.reach((await t.claim(id, bob)).until);
        await t.ledger.sweep(eve, true);
        await t.claim(id, eve);
        await t.ledger.setStatus([id], { verb: "done" }, eve);
        const story = (await t.ledger.events({ task: id })).map(({ kind, actor, fence }) => [kind, actor, fence]);
        expect(story).toEqual([
          ["added", "ann", 0],
          ["acquired", "ann", 1],
          ["released", "ann", 1],
          ["acquired", "ann", 2],
          ["taken_over", "bob", 3],
          ["expired", "eve", 3],
          ["acquired", "eve", 4],
          ["done", "eve", 4],
        ]);
      }),
    );

    it(
      "of renewals are few: heartbeats do not make the journal grow",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        const before = (await t.ledger.stats()).events;
        for (let i = 0; i < 20; i++) {
          t.clock?.advance(MINUTE);
          await t.ledger.extend([id], ann, 10 * MINUTE);
        }
        expect((await t.ledger.stats()).events - before).toBeLessThanOrEqual(2);
      }),
    );
  });

  describe("changed", () => {
    it(
      "resolves after the time given when nothing happens, and soon when another connection writes",
      on(async (t) => {
        const writer = await t.second();
        await t.ledger.changed(1);
        const quiet = monotonic();
        await t.ledger.changed(150);
        expect(monotonic() - quiet).toBeLessThan(1500);
        const start = monotonic();
        const woken = t.ledger.changed(10_000);
        await writer.add([{ title: "news" }], bob);
        await woken;
        expect(monotonic() - start).toBeLessThan(5000);
      }),
    );
  });

  describe("approve", () => {
    it(
      "is told until its time, by whom and why, and never moves the lease",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 60 * MINUTE);
        const { history: _, ...before } = await t.get(id);
        expect(await t.ledger.approvals(id)).toEqual([]);
        const [approval] = await t.ledger.approve([id], "hotfix", t.ttl, eve);
        expect(approval).toMatchObject({ id, reason: "hotfix", by: "eve:s9" });
        expect(await t.ledger.approvals(id)).toEqual([approval]);
        const { history, ...after } = await t.get(id);
        expect(after).toEqual(before);
        expect(history.at(-1)).toMatchObject({ kind: "approved", actor: "eve", fence: 1 });
        await t.reach(present(approval).until);
        expect(await t.ledger.approvals(id)).toEqual([]);
      }),
    );

    it(
      "ends with the claim it was given for",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        await t.ledger.approve([id], "hotfix", 60 * MINUTE, eve);
        await t.ledger.release([id], ann);
        await t.claim(id, bob);
        expect(await t.ledger.approvals(id)).toEqual([]);
      }),
    );

    it(
      "refuses unknown tasks, several or none",
      on(async (t) => {
        const id = await t.addOne();
        await t.refused("not_found", [id], () => t.ledger.approve([id, 987_654], "x", MINUTE, eve));
        await t.refused("not_found", [], () => t.ledger.approvals(987_654));
      }),
    );
  });
}
