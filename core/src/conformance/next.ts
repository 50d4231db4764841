import { describe, expect, it } from "vitest";
import { ann, bob, type Harness, MINUTE, onLedger, present, refusalOf } from "./harness.ts";

/** `next` and `next --claim`. */
export function nextTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("next", () => {
    it(
      "orders by priority, then due, then id, and says why",
      on(async (t) => {
        const now = await t.now();
        const added = await t.ledger.add(
          [
            { title: "normal, first" },
            { title: "normal, second" },
            { title: "high, no due", priority: 1 },
            { title: "high, due late", priority: 1, due: now + 2 * 60 * MINUTE },
            { title: "high, due soon", priority: 1, due: now + 60 * MINUTE },
            { title: "low but overdue", priority: 4, due: now - MINUTE },
          ],
          ann,
        );
        const order: string[] = [];
        for (const _ of added) {
          const next = await t.ledger.next({}, ann, { ttl: 60 * MINUTE });
          order.push(next.task.title);
          expect(next.why.length).toBeGreaterThan(0);
          expect(next.why.every((line) => typeof line === "string" && line !== "")).toBe(true);
        }
        expect(order).toEqual([
          "high, due soon",
          "high, due late",
          "high, no due",
          "normal, first",
          "normal, second",
          "low but overdue",
        ]);
        expect((await refusalOf(t.ledger.next({}, ann, { ttl: MINUTE }))).code).toBe("none_ready");
      }),
    );

    it(
      "only looks when it is not asked to claim",
      on(async (t) => {
        const id = await t.addOne();
        const before = await t.get(id);
        expect(await t.ledger.next({}, ann, null)).toMatchObject({ task: { id }, grant: null });
        expect(await t.get(id)).toEqual(before);
      }),
    );

    it(
      "leaves out what is held, blocked, put off, or not open; a lapsed lease is no obstacle",
      on(async (t) => {
        const now = await t.now();
        const lapsed = await t.addOne({ priority: 4 });
        await t.lapse(lapsed, bob);
        const [held = 0, blocked = 0, done = 0, paused = 0, cancelled = 0] = await t.addMany(5);
        await t.addOne({ deferred_until: now + 24 * 60 * MINUTE, priority: 0 });
        await t.ledger.addDependency(blocked, [lapsed], ann);
        await t.ledger.setStatus([done], { verb: "done" }, ann);
        await t.ledger.setStatus([paused], { verb: "paused" }, ann);
        await t.ledger.setStatus([cancelled], { verb: "cancelled" }, ann);
        await t.claim(held, bob, 60 * MINUTE);
        const next = await t.ledger.next({}, ann, { ttl: 60 * MINUTE });
        expect(next.task.id).toBe(lapsed);
        expect(next.grant).toMatchObject({ fence: 2, previous: "bob:s1" });
        await t.refused("none_ready", [held, blocked], () => t.ledger.next({}, ann, { ttl: MINUTE }));
        await t.refused("none_ready", [held, blocked], () => t.ledger.next({}, ann, null));
      }),
    );

    it(
      "takes a task that was put off until a time that has come",
      on(async (t) => {
        const clock = t.movable;
        const until = clock.now() + MINUTE;
        const id = await t.addOne({ deferred_until: until });
        clock.set(until - 1);
        expect((await refusalOf(t.ledger.next({}, ann, null))).code).toBe("none_ready");
        clock.set(until);
        expect((await t.ledger.next({}, ann, null)).task.id).toBe(id);
      }),
    );

    it(
      "honours the filter",
      on(async (t) => {
        await t.addOne({ project: "a", priority: 0 });
        const wanted = await t.addOne({ project: "b", tags: ["x"] });
        expect((await t.ledger.next({ project: ["b"] }, ann, null)).task.id).toBe(wanted);
        expect((await t.ledger.next({ tags: ["x"] }, ann, null)).task.id).toBe(wanted);
        expect((await refusalOf(t.ledger.next({ project: ["c"] }, ann, null))).code).toBe("none_ready");
      }),
    );

    it(
      "gives every task to exactly one of many that ask at once",
      on(async (t) => {
        const ids = await t.addMany(8);
        const second = await t.second();
        const workers = Array.from({ length: 10 }, (_, i) => ({ actor: `w${i}`, session: "s" }));
        const outcomes = await Promise.allSettled(
          workers.map((worker, i) => (i % 2 ? second : t.ledger).next({}, worker, { ttl: 60 * MINUTE })),
        );
        const won = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
        expect(won.map((next) => next.task.id).toSorted((a, b) => a - b)).toEqual(ids);
        for (const { task, grant } of won) {
          expect(grant).toMatchObject({ id: task.id, fence: 1, idempotent: false });
          expect(task).toMatchObject({
            lease_state: "held",
            lease_holder: present(grant).holder,
            fence: 1,
            attempts: 1,
          });
          expect(await t.get(task.id)).toMatchObject({ lease_holder: present(grant).holder, attempts: 1 });
        }
        const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
        expect(codes).toEqual(["none_ready", "none_ready"]);
      }),
    );
  });
}
