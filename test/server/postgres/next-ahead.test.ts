import { setTimeout as sleep } from "node:timers/promises";
import type { NextTask } from "@alai/core";
import { dice, drawStep, outcomeOf } from "@alai/core/conformance/random-ledger";
import type { Priority } from "@alai/core/vocabulary";
import { describe, expect, it } from "vitest";
import { addMany, onReplicas } from "./open.ts";

const ann = { actor: "ann", session: "s1" };
const bob = { actor: "bob", session: "s1" };
const MINUTE = 60_000;

/** A task and why it comes first, or the refusal. */
function told(outcome: object): unknown {
  if (!("answer" in outcome)) return outcome;
  const { task, why } = outcome.answer as NextTask;
  return [task.id, why];
}

const FILTERS = [{}, { priority: [0, 1] }, { text: ["1"] }] as const;

/** What is handed out is remembered ahead; it must never be anything but what a search would find now. */
describe.concurrent("next, after next", () => {
  it.for([1, 2, 3, 4])("is what a search finds, whatever came in between (seed %i)", (seed) =>
    onReplicas(async ({ ledger, open }) => {
      const other = await open();
      const roll = dice(seed);
      await ledger.add(
        Array.from({ length: 60 }, (_, i) => ({ title: `${i}`, priority: (roll(5) % 5) as Priority })),
        ann,
      );
      for (let i = 0; i < 80; i++) {
        const between = roll(3);
        for (let step = 0; step < between; step++)
          await outcomeOf(drawStep(roll, Date.now())(roll(2) ? ledger : other));
        const filter = FILTERS[roll(FILTERS.length)] ?? {};
        const searched = await outcomeOf(ledger.next(filter, bob, null));
        const taken = await outcomeOf(ledger.next(filter, bob, { ttl: 10 * MINUTE }));
        expect(told(taken), `step ${i}`).toEqual(told(searched));
      }
    })(),
  );

  it(
    "sees what another replica adds, closes, puts off, or gives back",
    onReplicas(async ({ ledger, open }) => {
      const other = await open();
      const next = async () => (await ledger.next({}, ann, { ttl: 10 * MINUTE })).task.id;
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = await addMany(ledger, 6);
      expect(await next()).toBe(a);
      expect(await next()).toBe(b);
      await other.setStatus([c], { verb: "done" }, bob);
      expect(await next()).toBe(d);
      await other.edit([e], { priority: 4 }, bob);
      const [added] = await other.add([{ title: "urgent", priority: 0 }], bob);
      expect(await next()).toBe(added?.task.id);
      await other.release([a], ann);
      expect(await next()).toBe(a);
      expect(await next()).toBe(6);
      expect(await next()).toBe(e);
      await expect(next()).rejects.toMatchObject({ code: "none_ready" });
      await other.release([b], ann);
      expect(await next()).toBe(b);
    }),
  );

  it(
    "sees leases that run out, and tasks that are put off no longer, when nobody writes anything",
    onReplicas(async ({ ledger }) => {
      const next = async (ttl = 10 * MINUTE) => (await ledger.next({}, ann, { ttl })).task.id;
      const [a = 0, b = 0, c = 0] = await addMany(ledger, 4);
      const [late] = await ledger.add([{ title: "late", priority: 0, deferred_until: Date.now() + 5000 }], ann);
      expect(await next(2500)).toBe(a);
      expect(await next()).toBe(b);
      await sleep(2520);
      expect(await next()).toBe(a);
      expect(await next()).toBe(c);
      await sleep(2500);
      expect(await next()).toBe(late?.task.id);
    }),
  );
});
