import { describe, expect, it } from "vitest";
import { type Caller, REQUEST_MEMORY, type RequestKey } from "../ledger.ts";
import { BadInput, Refusal } from "../refusal.ts";
import { ann, annElsewhere, type Bench, bob, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** A verb that changes something, on task `id`, and what happens before a retry that would change something again. */
interface Verb {
  readonly before?: (t: Bench, id: number) => Promise<unknown>;
  readonly call: (t: Bench, id: number, by: Caller) => Promise<unknown>;
  readonly between?: (t: Bench, id: number) => Promise<unknown>;
}

const later = async (t: Bench) => t.reach((await t.now()) + 50);
const claimed = (t: Bench, id: number) => t.claim(id, ann, 10 * MINUTE);
/** A time that every event is older than, and the same in every call: a repeated request asks for the same. */
const AFTER_ALL = Date.UTC(2100, 0, 1);

const VERBS: Readonly<Record<string, Verb>> = {
  add: {
    call: (t, _id, by) =>
      t.ledger.add(
        [
          { title: "x", tags: ["a"] },
          { title: "y", due: 1e12 },
        ],
        by,
      ),
  },
  edit: {
    call: (t, id, by) => t.ledger.edit([id], { title: "mine" }, by),
    between: (t, id) => t.ledger.edit([id], { title: "theirs" }, bob),
  },
  note: { call: (t, id, by) => t.ledger.note([id], "seen", by) },
  done: {
    call: (t, id, by) => t.ledger.setStatus([id], { verb: "done", reason: "r" }, by),
    between: (t, id) => t.ledger.setStatus([id], { verb: "reopened" }, bob),
  },
  addDependency: {
    call: (t, id, by) => t.ledger.addDependency(id, [id + 1], by),
    between: (t, id) => t.ledger.removeDependency(id, [id + 1], bob),
  },
  removeDependency: {
    before: (t, id) => t.ledger.addDependency(id, [id + 1], bob),
    call: (t, id, by) => t.ledger.removeDependency(id, [id + 1], by),
    between: (t, id) => t.ledger.addDependency(id, [id + 1], bob),
  },
  "next, with claim": { call: (t, _id, by) => t.ledger.next({}, by, { ttl: 10 * MINUTE }) },
  claim: {
    call: (t, id, by) => t.ledger.claim([id], by, 10 * MINUTE),
    between: (t, id) => t.ledger.release([id], ann),
  },
  extend: { before: claimed, call: (t, id, by) => t.ledger.extend([id], by, 20 * MINUTE), between: later },
  release: { before: claimed, call: (t, id, by) => t.ledger.release([id], by), between: claimed },
  "sweep, with release": {
    before: (t, id) => t.lapse(id, bob),
    call: (t, _id, by) => t.ledger.sweep(by, true),
    between: (t, id) => t.lapse(id, bob),
  },
  approve: { before: claimed, call: (t, id, by) => t.ledger.approve([id], "hotfix", MINUTE, by) },
  undo: {
    before: async (t, id) => {
      await t.ledger.edit([id], { title: "1" }, ann);
      await t.ledger.edit([id], { title: "2" }, ann);
    },
    call: (t, _id, by) => t.ledger.undo(null, by),
  },
  prune: { call: async (t, _id, by) => t.ledger.prune(AFTER_ALL, by) },
  import: { call: (t, _id, by) => t.ledger.import([{ title: "old", dedup_key: "k" }], by) },
};

/** `by`, with a request key; `told` counts the answers that were kept ones. */
function keyed(by: Caller, key: string, fingerprint = "f"): Caller & { request: RequestKey; told: () => number } {
  let told = 0;
  const replayed = () => {
    told += 1;
  };
  return { ...by, request: { key, fingerprint, replayed }, told: () => told };
}

async function everything(t: Bench) {
  return { tasks: (await t.ledger.list({ status: [] })).tasks, events: await t.ledger.events({}) };
}

/** Request keys: a change that is sent again after a lost answer is made once. */
export function requestTests(harness: Harness): void {
  const on = onLedger(harness);

  describe.each(Object.keys(VERBS))("a request key: %s", (name) => {
    const { before, call, between } = present(VERBS[name]);

    it(
      "again gives the kept answer and changes nothing; another request under the key is refused",
      on(async (t) => {
        const [id = 0] = await t.addMany(2);
        await before?.(t, id);
        const by = keyed(ann, "k1");
        const first = await call(t, id, by);
        expect(by.told()).toBe(0);
        await between?.(t, id);
        const there = await everything(t);
        expect(await call(t, id, by)).toEqual(first);
        expect(by.told()).toBe(1);
        expect(await everything(t)).toEqual(there);
        const other = keyed(ann, "k1", "g");
        const refusal = await t.refused("key_reused", [id], () => t.ledger.note([id], "something else", other));
        expect(refusal.message).toContain("k1");
        expect(refusal.hint).toBeTruthy();
        expect(other.told()).toBe(0);
        expect(await everything(t)).toEqual(there);
      }),
    );
  });

  describe("a request key", () => {
    const add = (t: Bench, by: Caller, ledger = t.ledger) => ledger.add([{ title: "x" }], by);
    const total = async (t: Bench) => (await t.ledger.stats()).total;

    it(
      "belongs to the actor: another may use the same; another session of the actor asks for the same",
      on(async (t) => {
        const first = await add(t, keyed(ann, "k"));
        expect(await add(t, keyed(bob, "k", "other"))).not.toEqual(first);
        const elsewhere = keyed(annElsewhere, "k");
        if (harness.ownFingerprints) await t.refused("key_reused", [], () => add(t, elsewhere));
        else expect(await add(t, elsewhere)).toEqual(first);
        expect(elsewhere.told()).toBe(harness.ownFingerprints ? 0 : 1);
        expect(await total(t)).toBe(2);
      }),
    );

    it(
      "is one for all verbs and connections, and other keys are other requests",
      on(async (t) => {
        const second = await t.second();
        const first = await add(t, keyed(ann, "k"));
        expect(await add(t, keyed(ann, "k"), second)).toEqual(first);
        const id = present(first[0]).task.id;
        await t.refused("key_reused", [id], () => second.note([id], "x", keyed(ann, "k", "note")));
        await add(t, keyed(ann, "K"));
        await add(t, ann);
        await add(t, ann);
        expect(await total(t)).toBe(4);
      }),
    );

    it(
      "is not kept with a refusal, nor with a call that failed in part: nothing changed",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.claim(a, bob, 10 * MINUTE);
        const by = keyed(ann, "k");
        await t.refused("held", [a, b], () => t.ledger.claim([b, a], by, MINUTE));
        await t.refused("held", [a], () => t.ledger.claim([a], by, MINUTE));
        await t.ledger.release([a], bob);
        expect(await t.ledger.claim([a], by, MINUTE)).toMatchObject([{ id: a, idempotent: false }]);
        expect(by.told()).toBe(0);
        expect(await t.ledger.claim([a], by, MINUTE)).toMatchObject([{ id: a, idempotent: false }]);
        expect(by.told()).toBe(1);
      }),
    );

    it(
      "sent many times at one moment, over several connections, makes one change",
      on(async (t) => {
        const second = await t.second();
        const calls = Array.from({ length: 12 }, (_, i) => add(t, keyed(ann, "k"), i % 2 ? second : t.ledger));
        const outcomes = await Promise.allSettled(calls);
        expect(await total(t)).toBe(1);
        const answers = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
        expect(answers.length).toBeGreaterThan(0);
        for (const answer of answers) expect(answer).toEqual(answers[0]);
        // A store that does not make the others wait may say so instead.
        for (const outcome of outcomes)
          if (outcome.status === "rejected") {
            expect(outcome.reason).toBeInstanceOf(Refusal);
            expect(outcome.reason.code).toBe("in_flight");
          }
      }),
    );

    it(
      "is good for a day, to the millisecond, and free for another request then",
      on(async (t) => {
        const start = t.movable.now();
        const first = await add(t, keyed(ann, "k"));
        await t.reach(start + REQUEST_MEMORY - 1);
        expect(await add(t, keyed(ann, "k"))).toEqual(first);
        await t.reach(start + REQUEST_MEMORY);
        const by = keyed(ann, "k", "other");
        const second = await add(t, by);
        expect(second).not.toEqual(first);
        expect(by.told()).toBe(0);
        expect(await add(t, by)).toEqual(second);
        expect(await total(t)).toBe(2);
      }),
    );

    it(
      "has 1 to 255 characters",
      on(async (t) => {
        for (const key of ["", "x".repeat(256)]) await expect(add(t, keyed(ann, key))).rejects.toBeInstanceOf(BadInput);
        const first = await add(t, keyed(ann, "x".repeat(255)));
        expect(await add(t, keyed(ann, "x".repeat(255)))).toEqual(first);
        await add(t, keyed(ann, `${"x".repeat(254)}y`));
        expect(await total(t)).toBe(2);
      }),
    );
  });
}
