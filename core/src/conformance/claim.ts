import { describe, expect, it } from "vitest";
import { ann, annElsewhere, bob, eve, type Harness, holderOf, MINUTE, onLedger, present } from "./harness.ts";

/** `claim`: one winner, a safe retry, and the boundary of the lease. */
export function claimTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("claim", () => {
    it(
      "gives a free task to the caller at fence 1",
      on(async (t) => {
        const id = await t.addOne({ title: "Ship it" });
        const before = await t.now();
        const grant = await t.claim(id, ann);
        const after = await t.now();
        expect(grant).toMatchObject({ id, title: "Ship it", holder: "ann:s1", fence: 1, ttl: t.ttl });
        expect(grant).toMatchObject({ idempotent: false, previous: null });
        expect(grant.until).toBeGreaterThanOrEqual(before + t.ttl);
        expect(grant.until).toBeLessThanOrEqual(after + t.ttl);
        const task = await t.get(id);
        expect(task).toMatchObject({ lease_state: "held", lease_holder: "ann:s1", lease_until: grant.until });
        expect(task).toMatchObject({ fence: 1, attempts: 1, status: "open" });
        expect(await t.kinds(id)).toEqual(["added", "acquired"]);
      }),
    );

    it(
      "refuses the second and names holder, expiry and seconds left, and no way to evict",
      on(async (t) => {
        const id = await t.addOne();
        const grant = await t.claim(id, ann, 10 * MINUTE);
        const refusal = await t.refused("held", [id], () => t.claim(id, bob));
        expect(refusal.message).toMatch(
          new RegExp(`^Task ${id} held by ann:s1 until \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ`),
        );
        expect(refusal.lease).toMatchObject({ holder: "ann:s1", until: grant.until, fence: 1 });
        expect(present(refusal.lease?.secondsLeft)).toBeGreaterThan(590);
        expect(present(refusal.lease?.secondsLeft)).toBeLessThanOrEqual(600);
        expect(`${refusal.message} ${refusal.hint}`).not.toMatch(/force|steal|evict|enforce/i);
        expect(refusal.taskId).toBe(id);
      }),
    );

    it(
      "counts two sessions of one actor as two holders",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        await t.refused("held", [id], () => t.claim(id, annElsewhere));
        await t.refused("not_holder", [id], () => t.ledger.extend([id], annElsewhere));
        await t.refused("not_holder", [id], () => t.ledger.release([id], annElsewhere));
        await t.refused("held", [id], () => t.ledger.edit([id], { title: "x" }, annElsewhere));
        expect((await t.status(id, annElsewhere)).mine).toBe(false);
        expect((await t.status(id, ann)).mine).toBe(true);
      }),
    );

    it(
      "has one winner among many at once, on two connections",
      on(async (t) => {
        const id = await t.addOne();
        const second = await t.second();
        const callers = Array.from({ length: 12 }, (_, i) => ({ actor: "racer", session: `s${i}` }));
        const outcomes = await Promise.allSettled(
          callers.map((caller, i) => (i % 2 ? second : t.ledger).claim([id], caller, 10 * MINUTE)),
        );
        const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
        expect(won).toHaveLength(1);
        const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
        expect(codes).toEqual(Array(11).fill("held"));
        const task = await t.get(id);
        expect(task).toMatchObject({ fence: 1, attempts: 1 });
        expect(won[0]?.value[0]).toMatchObject({ holder: task.lease_holder, fence: 1 });
      }),
    );

    it(
      "serves verbs that are called together on one connection",
      on(async (t) => {
        const ids = await t.addMany(6);
        await Promise.all(ids.flatMap((id) => [t.claim(id, ann), t.get(id), t.ledger.note([id], "hello", bob)]));
        for (const id of ids) expect((await t.get(id)).fence).toBe(1);
      }),
    );

    it(
      "answers a retry with the same fence, idempotent, and never makes the lease shorter",
      on(async (t) => {
        const id = await t.addOne();
        const first = await t.claim(id, ann, 10 * MINUTE);
        t.clock?.advance(1000);
        const shorter = await t.claim(id, ann, MINUTE);
        expect(shorter).toMatchObject({ fence: 1, idempotent: true, until: first.until, previous: null });
        expect(shorter.ttl).toBe(10 * MINUTE);
        const longer = await t.claim(id, ann, 20 * MINUTE);
        expect(longer).toMatchObject({ fence: 1, idempotent: true, ttl: 20 * MINUTE });
        expect(longer.until).toBeGreaterThanOrEqual(first.until + 10 * MINUTE);
        const task = await t.get(id);
        expect(task).toMatchObject({ fence: 1, attempts: 1, lease_until: longer.until });
      }),
    );

    it(
      "holds until the last millisecond, and not at the expiry itself",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann);
        clock.set(until - 1);
        expect(await t.status(id)).toMatchObject({ state: "held", mine: true, seconds_left: 1 });
        await t.refused("held", [id], () => t.claim(id, bob));
        clock.set(until);
        expect(await t.status(id)).toMatchObject({ state: "expired", mine: false, holder: "ann:s1", seconds_left: 0 });
        expect(await t.claim(id, bob)).toMatchObject({ fence: 2, previous: "ann:s1", idempotent: false });
      }),
    );

    it(
      "is free for others one millisecond after the expiry as well",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann);
        clock.set(until + 1);
        expect(await t.claim(id, bob)).toMatchObject({ fence: 2, holder: "bob:s1" });
      }),
    );

    it(
      "records a takeover: fence up by one, the previous holder in the reply and the journal",
      on(async (t) => {
        const id = await t.addOne();
        const first = await t.lapse(id, ann);
        const grant = await t.claim(id, bob);
        expect(grant).toMatchObject({ fence: 2, previous: "ann:s1", idempotent: false });
        const event = present((await t.ledger.events({ task: id })).at(-1));
        expect(event).toMatchObject({ kind: "taken_over", fence: 2, actor: "bob", session: "s1" });
        expect(event.data).toMatchObject({ prev_holder: "ann:s1", prev_until: first.until, prev_fence: 1 });
        expect((await t.get(id)).attempts).toBe(2);
      }),
    );

    it(
      "gives a holder that comes back after its own lapse a new fence",
      on(async (t) => {
        const id = await t.addOne();
        await t.lapse(id, ann);
        expect(await t.claim(id, ann)).toMatchObject({ fence: 2, idempotent: false });
      }),
    );

    it(
      "never uses a fence twice: release, sweep, done and reopen keep it",
      on(async (t) => {
        const id = await t.addOne();
        const fences: number[] = [];
        const again = async () => fences.push((await t.claim(id, bob)).fence);
        await again();
        await t.ledger.release([id], bob);
        fences.push((await t.lapse(id, ann)).fence);
        await t.ledger.sweep(bob, true);
        await again();
        await t.ledger.setStatus([id], { verb: "done" }, bob);
        await t.ledger.setStatus([id], { verb: "reopened" }, eve);
        await again();
        expect(fences).toEqual([1, 2, 3, 4]);
      }),
    );

    it(
      "refuses tasks that are not open, and unknown ones",
      on(async (t) => {
        for (const verb of ["done", "paused", "cancelled"] as const) {
          const id = await t.addOne();
          await t.ledger.setStatus([id], { verb }, ann);
          await t.refused("not_open", [id], () => t.claim(id, bob));
        }
        const ready = await t.addOne({ status: "ready" });
        expect(await t.claim(ready, bob)).toMatchObject({ fence: 1 });
        await t.refused("not_found", [], () => t.claim(987_654, bob));
      }),
    );

    it(
      "takes several or none, and names each that failed",
      on(async (t) => {
        const [a = 0, b = 0, c = 0] = await t.addMany(3);
        await t.claim(b, bob, 10 * MINUTE);
        await t.ledger.setStatus([c], { verb: "done" }, bob);
        const refusal = await t.refused("held", [a, b, c], () => t.ledger.claim([a, b, c], ann, MINUTE));
        expect(refusal.failures?.map(({ id, code }) => [id, code])).toEqual([
          [b, "held"],
          [c, "not_open"],
        ]);
        const [d = 0, e = 0] = await t.addMany(2);
        const grants = await t.ledger.claim([d, e], ann, MINUTE);
        expect(grants.map((grant) => [grant.id, grant.fence, grant.holder])).toEqual([
          [d, 1, holderOf(ann)],
          [e, 1, holderOf(ann)],
        ]);
      }),
    );
  });

  describe("claim-status", () => {
    it(
      "tells free, held and expired apart and says whose it is",
      on(async (t) => {
        const id = await t.addOne({ title: "Look" });
        expect(await t.status(id)).toEqual({
          id,
          title: "Look",
          state: "free",
          holder: null,
          until: null,
          fence: 0,
          seconds_left: null,
          mine: false,
        });
        const grant = await t.claim(id, ann);
        expect(await t.status(id, bob)).toMatchObject({ state: "held", holder: "ann:s1", fence: 1, mine: false });
        expect(await t.status(id, ann)).toMatchObject({ state: "held", until: grant.until, mine: true });
        await t.reach(grant.until);
        expect(await t.status(id, ann)).toMatchObject({ state: "expired", holder: "ann:s1", fence: 1, mine: false });
        await t.refused("not_found", [], () => t.status(987_654));
      }),
    );
  });
}
