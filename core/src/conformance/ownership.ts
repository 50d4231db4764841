import { describe, expect, it } from "vitest";
import { ann, bob, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** Who may extend and release a lease: only its holder, and extend only while it is live. */
export function ownershipTests(harness: Harness): void {
  extendTests(harness);
  releaseTests(harness);
}

function extendTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("claim-extend", () => {
    it(
      "makes the holder's live lease longer, never shorter, at the same fence",
      on(async (t) => {
        const id = await t.addOne();
        const { until } = await t.claim(id, ann, 10 * MINUTE);
        t.clock?.advance(MINUTE);
        const [same] = await t.ledger.extend([id], ann);
        const expected = t.clock ? until + MINUTE : present(same).until;
        expect(same).toMatchObject({ id, fence: 1, holder: "ann:s1", until: expected, ttl: 10 * MINUTE });
        const [shorter] = await t.ledger.extend([id], ann, 1000);
        expect(shorter).toMatchObject({ fence: 1, until: expected });
        const [longer] = await t.ledger.extend([id], ann, 30 * MINUTE);
        expect(present(longer).until).toBeGreaterThanOrEqual(until + 19 * MINUTE);
        expect(await t.get(id)).toMatchObject({ fence: 1, attempts: 1, lease_until: present(longer).until });
      }),
    );

    it(
      "never revives a lease that ran out, at the expiry itself or later",
      on(async (t) => {
        const id = await t.addOne();
        const { until } = await t.lapse(id, ann);
        const refusal = await t.refused("lease_expired", [id], () => t.ledger.extend([id], ann));
        expect(refusal.message).toContain(`task ${id}`);
        t.clock?.set(until + 1);
        await t.refused("lease_expired", [id], () => t.ledger.extend([id], ann, 10 * MINUTE));
        await t.ledger.sweep(bob, true);
        await t.refused("lease_expired", [id], () => t.ledger.extend([id], ann));
      }),
    );

    it(
      "works one millisecond before the expiry",
      on(async (t) => {
        const clock = t.movable;
        const id = await t.addOne();
        const { until } = await t.claim(id, ann);
        clock.set(until - 1);
        const [grant] = await t.ledger.extend([id], ann);
        expect(present(grant).until).toBe(until - 1 + t.ttl);
      }),
    );

    it(
      "refuses everyone else: of a held task, of a free one, of a lapsed one",
      on(async (t) => {
        const id = await t.addOne();
        await t.refused("not_holder", [id], () => t.ledger.extend([id], bob));
        await t.claim(id, ann);
        const refusal = await t.refused("not_holder", [id], () => t.ledger.extend([id], bob));
        expect(refusal.lease).toMatchObject({ holder: "ann:s1", fence: 1 });
        await t.reach((await t.claim(id, ann)).until);
        await t.refused("not_holder", [id], () => t.ledger.extend([id], bob));
        await t.claim(id, bob, 10 * MINUTE);
        await t.refused("not_holder", [id], () => t.ledger.extend([id], ann));
        await t.refused("not_found", [], () => t.ledger.extend([987_654], ann));
      }),
    );

    it(
      "extends several or none",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(a, ann, 10 * MINUTE);
        const refusal = await t.refused("not_holder", [a, b], () => t.ledger.extend([a, b], ann, 30 * MINUTE));
        expect(refusal.failures?.map((failure) => failure.id)).toEqual([b]);
      }),
    );
  });
}

function releaseTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("claim-release", () => {
    it(
      "frees the task at once and keeps the fence; again is no error",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        expect(await t.ledger.release([id], ann)).toEqual([{ id, fence: 1, already_free: false }]);
        expect(await t.get(id)).toMatchObject({ lease_state: "free", lease_holder: null, lease_until: null, fence: 1 });
        const events = (await t.ledger.stats()).events;
        expect(await t.ledger.release([id], ann)).toEqual([{ id, fence: 1, already_free: true }]);
        expect((await t.ledger.stats()).events).toBe(events);
        expect(await t.kinds(id)).toEqual(["added", "acquired", "released"]);
        expect(await t.claim(id, bob)).toMatchObject({ fence: 2, previous: null });
      }),
    );

    it(
      "works for a lease that lapsed, and after a sweep or done says already free",
      on(async (t) => {
        const [lapsed = 0, swept = 0, finished = 0] = await t.addMany(3);
        await t.lapse(lapsed, ann);
        expect(await t.ledger.release([lapsed], ann)).toMatchObject([{ already_free: false }]);
        await t.lapse(swept, ann);
        await t.ledger.sweep(bob, true);
        expect(await t.ledger.release([swept], ann)).toMatchObject([{ already_free: true, fence: 1 }]);
        await t.claim(finished, ann);
        await t.ledger.setStatus([finished], { verb: "done" }, ann);
        expect(await t.ledger.release([finished], ann)).toMatchObject([{ already_free: true, fence: 1 }]);
      }),
    );

    it(
      "refuses another's lease, live or lapsed, and a task never held",
      on(async (t) => {
        const id = await t.addOne();
        await t.refused("not_holder", [id], () => t.ledger.release([id], bob));
        await t.claim(id, ann);
        await t.refused("not_holder", [id], () => t.ledger.release([id], bob));
        await t.reach((await t.claim(id, ann)).until);
        await t.refused("not_holder", [id], () => t.ledger.release([id], bob));
      }),
    );

    it(
      "tells a superseded holder that it is fenced, while the newer claim lives, lapsed or was given back",
      on(async (t) => {
        const id = await t.addOne();
        await t.lapse(id, ann);
        const newer = await t.claim(id, bob);
        const refusal = await t.refused("fenced", [id], () => t.ledger.release([id], ann));
        expect(refusal.lease).toMatchObject({ fence: 2, holder: "bob:s1" });
        await t.reach(newer.until);
        await t.refused("fenced", [id], () => t.ledger.release([id], ann));
        await t.ledger.release([id], bob);
        await t.refused("fenced", [id], () => t.ledger.release([id], ann));
      }),
    );

    it(
      "refuses a holder that had given it back before another took it",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        await t.ledger.release([id], ann);
        await t.claim(id, bob, 10 * MINUTE);
        await t.refused("not_holder", [id], () => t.ledger.release([id], ann));
      }),
    );

    it(
      "does not take who closed a task it never held, or not last, for its last holder",
      on(async (t) => {
        const id = await t.addOne();
        await t.ledger.setStatus([id], { verb: "done" }, ann);
        await t.refused("not_holder", [id], () => t.ledger.release([id], ann));
        await t.refused("not_holder", [id], () => t.ledger.extend([id], ann));
        await t.ledger.setStatus([id], { verb: "reopened" }, ann);
        await t.claim(id, bob);
        await t.ledger.release([id], bob);
        await t.ledger.setStatus([id], { verb: "done" }, ann);
        await t.refused("not_holder", [id], () => t.ledger.release([id], ann));
        expect(await t.ledger.release([id], bob)).toMatchObject([{ already_free: true, fence: 1 }]);
      }),
    );

    it(
      "releases several or none",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(a, ann, 10 * MINUTE);
        await t.claim(b, bob, 10 * MINUTE);
        const refusal = await t.refused("not_holder", [a, b], () => t.ledger.release([a, b], ann));
        expect(refusal.failures).toMatchObject([{ id: b, code: "not_holder" }]);
      }),
    );
  });
}
