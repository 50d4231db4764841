import { describe, expect, it } from "vitest";
import type { Caller } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import {
  ann,
  annElsewhere,
  type Bench,
  bob,
  eve,
  type Harness,
  MINUTE,
  onLedger,
  present,
  refusalOf,
} from "./harness.ts";

/** Every verb that changes a task in the name of its holder. */
const CHANGES: Readonly<Record<string, (t: Bench, id: number, by: Caller) => Promise<unknown>>> = {
  done: (t, id, by) => t.ledger.setStatus([id], { verb: "done" }, by),
  paused: (t, id, by) => t.ledger.setStatus([id], { verb: "paused" }, by),
  ready: (t, id, by) => t.ledger.setStatus([id], { verb: "ready" }, by),
  cancelled: (t, id, by) => t.ledger.setStatus([id], { verb: "cancelled" }, by),
  edit: (t, id, by) => t.ledger.edit([id], { title: "changed" }, by),
  "edit of tags": (t, id, by) => t.ledger.edit([id], { addTags: ["x"] }, by),
  "dep add": async (t, id, by) => t.ledger.addDependency(id, [await t.addOne()], by),
};

/** Who may change a task: freshness, not liveness, decides (design.md, rule 3). */
export function freshnessTests(harness: Harness): void {
  changeTests(harness);
  fenceTests(harness);
}

function changeTests(harness: Harness): void {
  const on = onLedger(harness);
  describe.each(Object.keys(CHANGES))("change by %s", (name) => {
    const change = present(CHANGES[name]);

    it(
      "by anyone is accepted while nobody holds the task",
      on(async (t) => {
        const id = await t.addOne();
        await change(t, id, bob);
        expect((await t.get(id)).version).toBe(2);
      }),
    );

    it(
      "by anyone but the holder is refused while it is held, and changes nothing",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        const before = await t.get(id);
        const refusal = await refusalOf(change(t, id, bob));
        expect(refusal.code).toBe("held");
        expect(refusal.lease).toMatchObject({ holder: "ann:s1" });
        expect(await t.get(id)).toEqual(before);
        expect((await refusalOf(change(t, id, annElsewhere))).code).toBe("held");
      }),
    );

    it(
      "by a worker whose lease lapsed is accepted while nobody has taken it, swept or not",
      on(async (t) => {
        const [lapsed = 0, swept = 0] = await t.addMany(2);
        await t.lapse(swept, ann);
        await t.ledger.sweep(eve, true);
        await t.lapse(lapsed, ann);
        await change(t, lapsed, ann);
        await change(t, swept, ann);
        expect((await t.get(lapsed)).version).toBe(2);
        expect(await t.get(swept)).toMatchObject({ version: 2, fence: 1 });
      }),
    );

    it(
      "by a superseded worker is fenced, whatever became of the newer claim, and changes nothing",
      on(async (t) => {
        const id = await t.addOne();
        await t.lapse(id, ann);
        const newer = await t.claim(id, bob);
        const fenced = async () => {
          const before = await t.kept([id]);
          const refusal = await refusalOf(change(t, id, ann));
          expect(refusal.code, refusal.message).toBe("fenced");
          expect(await t.kept([id])).toEqual(before);
        };
        await fenced();
        await t.reach(newer.until);
        await fenced();
        await t.ledger.release([id], bob);
        await fenced();
        await t.claim(id, eve);
        await fenced();
      }),
    );
  });
}

function fenceTests(harness: Harness): void {
  const on = onLedger(harness);
  describe("fences", () => {
    it(
      "given and wrong are refused on every verb, older or newer than the task's, held or free",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        const check = async (fence: number) => {
          const by = { ...ann, fence };
          await t.refused("fenced", [id], () => t.ledger.extend([id], by));
          await t.refused("fenced", [id], () => t.ledger.release([id], by));
          await t.refused("fenced", [id], () => t.ledger.edit([id], { title: "x" }, by));
          await t.refused("fenced", [id], () => t.ledger.setStatus([id], { verb: "done" }, by));
        };
        await check(0);
        await check(2);
        await t.ledger.release([id], ann);
        await check(2);
      }),
    );

    it(
      "given and right are accepted",
      on(async (t) => {
        const id = await t.addOne();
        const { fence } = await t.claim(id, ann, 10 * MINUTE);
        const by = { ...ann, fence };
        await t.ledger.extend([id], by);
        await t.ledger.edit([id], { title: "x" }, by);
        await t.ledger.setStatus([id], { verb: "done" }, by);
        expect(await t.ledger.release([id], by)).toMatchObject([{ already_free: true }]);
        expect(await t.get(id)).toMatchObject({ status: "done", title: "x", fence: 1 });
      }),
    );

    it(
      "given by a worker that another replaced: fenced even under the newer number, which is not its own",
      on(async (t) => {
        const id = await t.addOne();
        const { fence } = await t.supersede(id, ann, bob);
        await t.refused("fenced", [id], () => t.ledger.edit([id], { title: "x" }, { ...ann, fence }));
        await t.refused("fenced", [id], () => t.ledger.edit([id], { title: "x" }, { ...ann, fence: 1 }));
      }),
    );

    it(
      "are forgotten by who gave its claim back: after others came and went it may edit again",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        await t.ledger.release([id], ann);
        await t.claim(id, bob);
        await t.refused("held", [id], () => t.ledger.edit([id], { title: "x" }, ann));
        await t.ledger.release([id], bob);
        await t.ledger.edit([id], { title: "mine again" }, ann);
        expect((await t.get(id)).title).toBe("mine again");
      }),
    );

    it(
      "are forgotten by who finished as well",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann);
        await t.ledger.setStatus([id], { verb: "paused" }, ann);
        await t.ledger.setStatus([id], { verb: "reopened" }, ann);
        await t.claim(id, bob);
        await t.ledger.release([id], bob);
        await t.ledger.edit([id], { title: "x" }, ann);
      }),
    );

    it(
      "are regained by claiming again: the superseded worker may work once it holds the task",
      on(async (t) => {
        const id = await t.addOne();
        await t.supersede(id, ann, bob);
        await t.ledger.release([id], bob);
        await t.claim(id, ann);
        await t.ledger.setStatus([id], { verb: "done" }, ann);
        expect(await t.get(id)).toMatchObject({ status: "done", fence: 3 });
      }),
    );

    it(
      "do not stop a caller that asked for no enforcement; it is told what was passed over",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 10 * MINUTE);
        const told: unknown[] = [];
        const unenforced = (refusal: Refusal) => told.push(refusal);
        await t.ledger.edit([id], { title: "anyway" }, { ...bob, unenforced });
        expect((await t.get(id)).title).toBe("anyway");
        expect(told).toHaveLength(1);
        expect(told[0]).toBeInstanceOf(Refusal);
        expect(told[0]).toMatchObject({ code: "held", taskId: id });
        expect(await t.status(id, ann)).toMatchObject({ mine: true, fence: 1 });
      }),
    );
  });
}
