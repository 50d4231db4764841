import { describe, expect, it } from "vitest";
import { ann, bob, eve, type Harness, MINUTE, onLedger, present } from "./harness.ts";

const HOUR = 60 * MINUTE;

/** Sweeping, and clocks that jump. */
export function sweepTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("claim-sweep", () => {
    it(
      "lists only leases past their expiry and changes nothing until asked",
      on(async (t) => {
        const [free = 0, held = 0, lapsed = 0] = await t.addMany(3);
        await t.claim(held, bob, 60 * MINUTE);
        const { until } = await t.lapse(lapsed, ann);
        const before = await t.ledger.get([free, held, lapsed]);
        const events = (await t.ledger.stats()).events;
        const lease = { id: lapsed, title: "work 3", holder: "ann:s1", until, fence: 1 };
        expect(await t.ledger.sweep(eve, false)).toEqual([{ ...lease, released: false }]);
        expect(await t.ledger.get([free, held, lapsed])).toEqual(before);
        expect((await t.ledger.stats()).events).toBe(events);
        expect(await t.ledger.sweep(eve, true)).toEqual([{ ...lease, released: true }]);
        const after = await t.ledger.get([free, held, lapsed]);
        expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
        expect(after[2]).toMatchObject({ lease_state: "free", lease_holder: null, lease_until: null, fence: 1 });
        const event = present((await t.ledger.events({ task: lapsed })).at(-1));
        expect(event).toMatchObject({ kind: "expired", actor: "eve", session: "s9", fence: 1 });
        expect(event.data).toMatchObject({ prev_holder: "ann:s1", prev_until: until });
      }),
    );

    it(
      "finds nothing the second time",
      on(async (t) => {
        await t.lapse(await t.addOne(), ann);
        await t.ledger.sweep(eve, true);
        const events = (await t.ledger.stats()).events;
        expect(await t.ledger.sweep(eve, true)).toEqual([]);
        expect((await t.ledger.stats()).events).toBe(events);
      }),
    );

    it(
      "counts the expiry itself as past, the millisecond before not",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann);
        clock.set(until - 1);
        expect(await t.ledger.sweep(eve, true)).toEqual([]);
        clock.set(until);
        expect(await t.ledger.sweep(eve, true)).toMatchObject([{ id, released: true }]);
      }),
    );

    it(
      "lets the late holder finish, and the next claimant get a newer fence",
      on(async (t) => {
        const [finished = 0, taken = 0] = await t.addMany(2);
        await t.lapse(taken, ann);
        await t.lapse(finished, ann);
        await t.ledger.sweep(eve, true);
        await t.ledger.setStatus([finished], { verb: "done" }, ann);
        expect(await t.get(finished)).toMatchObject({ status: "done", fence: 1 });
        expect(await t.claim(taken, bob)).toMatchObject({ fence: 2, previous: null });
        await t.refused("fenced", [taken], () => t.ledger.setStatus([taken], { verb: "done" }, ann));
      }),
    );
  });

  describe("a clock that is set back one hour", () => {
    it(
      "does not bring a lease that another took over to life again",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const newer = await t.supersede(id, ann, bob);
        clock.advance(-HOUR);
        expect(await t.status(id, ann)).toMatchObject({ holder: "bob:s1", mine: false, until: newer.until });
        await t.refused("not_holder", [id], () => t.ledger.extend([id], ann));
        await t.refused("held", [id], () => t.claim(id, ann));
        await t.refused("fenced", [id], () => t.ledger.setStatus([id], { verb: "done" }, ann));
        expect(await t.claim(id, bob)).toMatchObject({ fence: 2, idempotent: true, until: newer.until });
      }),
    );

    it(
      "does not bring a lapsed lease to life again, once anything was written after its expiry",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        await t.lapse(id, ann);
        await t.addOne();
        clock.advance(-HOUR);
        const other = await t.second();
        for (const ledger of [t.ledger, other]) {
          expect(await ledger.leaseStatus([id], ann)).toMatchObject([{ state: "expired", mine: false }]);
          await t.refused("lease_expired", [id], () => ledger.extend([id], ann));
        }
        expect((await t.ledger.sweep(eve, false)).map((lease) => lease.id)).toEqual([id]);
        expect(await other.claim([id], bob, MINUTE)).toMatchObject([{ fence: 2, previous: "ann:s1" }]);
      }),
    );

    it(
      "does not take a live lease away, nor let the journal's time run backwards",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann);
        clock.advance(-HOUR);
        expect(await t.status(id, ann)).toMatchObject({ mine: true, until });
        await t.refused("held", [id], () => t.claim(id, bob));
        await t.ledger.note([id], "later", ann);
        const times = (await t.ledger.events({})).map((event) => event.at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });

  describe("a clock that is set forward one hour", () => {
    it(
      "ends leases early, with one valid fence at every moment",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        await t.claim(id, ann);
        clock.advance(HOUR);
        await t.refused("lease_expired", [id], () => t.ledger.extend([id], ann));
        expect(await t.claim(id, bob)).toMatchObject({ fence: 2 });
        clock.advance(-HOUR);
        await t.refused("fenced", [id], () => t.ledger.edit([id], { title: "x" }, ann));
        await t.refused("held", [id], () => t.claim(id, ann));
      }),
    );
  });
}
