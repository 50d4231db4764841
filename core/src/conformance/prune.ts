import { describe, expect, it } from "vitest";
import type { RefusalCode } from "../refusal.ts";
import { ann, annElsewhere, type Bench, bob, eve, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** Drops all that may be dropped. The remarks afterwards: the newest event stays in any case, and is none that matters. */
async function pruneAll(t: Bench, id: number) {
  for (let i = 0; i < 3; i++) await t.ledger.note([id], "noise", eve);
  return t.ledger.prune((await t.now()) + 1, eve);
}

const numbers = async (t: Bench) => (await t.ledger.events({})).map((event) => event.seq);

/** A history, and what a lease's rule decides after it. */
interface Case {
  readonly history: (t: Bench, id: number) => Promise<unknown>;
  readonly verb: (t: Bench, id: number) => Promise<unknown>;
  readonly expected: RefusalCode | "allowed";
}

const edit = (t: Bench, id: number) => t.ledger.edit([id], { owner: "x" }, ann);
const done = (t: Bench, id: number) => t.ledger.setStatus([id], { verb: "done" }, ann);
const long = 10 * MINUTE;

const CASES: Readonly<Record<string, Case>> = {
  "a superseded worker may not edit": { history: (t, id) => t.supersede(id, ann, bob), verb: edit, expected: "fenced" },
  "a superseded worker may not finish": {
    history: (t, id) => t.supersede(id, ann, bob),
    verb: done,
    expected: "fenced",
  },
  "a superseded worker may not release": {
    history: (t, id) => t.supersede(id, ann, bob),
    verb: (t, id) => t.ledger.release([id], ann),
    expected: "fenced",
  },
  "one that came back and was superseded may not edit": {
    history: async (t, id) => {
      await t.claim(id, ann, long);
      await t.ledger.release([id], ann);
      await t.supersede(id, ann, bob);
    },
    verb: edit,
    expected: "fenced",
  },
  "one superseded by another session of its own may not edit": {
    history: (t, id) => t.supersede(id, ann, annElsewhere),
    verb: edit,
    expected: "fenced",
  },
  "another session of a superseded worker is someone else": {
    history: (t, id) => t.supersede(id, annElsewhere, bob),
    verb: edit,
    expected: "held",
  },
  "who gave it back is not superseded by the next holder": {
    history: async (t, id) => {
      await t.claim(id, ann, long);
      await t.ledger.release([id], ann);
      await t.claim(id, bob, long);
    },
    verb: edit,
    expected: "held",
  },
  "who finished it is not superseded by the next holder": {
    history: async (t, id) => {
      await t.claim(id, ann, long);
      await t.ledger.setStatus([id], { verb: "paused" }, ann);
      await t.ledger.setStatus([id], { verb: "reopened" }, eve);
      await t.claim(id, bob, long);
    },
    verb: edit,
    expected: "held",
  },
  "who gave it back may say so again": {
    history: async (t, id) => {
      await t.claim(id, ann, long);
      await t.ledger.release([id], ann);
    },
    verb: async (t, id) => expect(await t.ledger.release([id], ann)).toMatchObject([{ already_free: true }]),
    expected: "allowed",
  },
  "whose lease ran out may finish": { history: (t, id) => t.lapse(id, ann), verb: done, expected: "allowed" },
  "whose lease was swept is told that it ended": {
    history: async (t, id) => {
      await t.lapse(id, ann);
      await t.ledger.sweep(eve, true);
    },
    verb: (t, id) => t.ledger.extend([id], ann, MINUTE),
    expected: "lease_expired",
  },
  "who never had it is told so": {
    history: async (t, id) => {
      await t.lapse(id, bob);
      await t.ledger.sweep(eve, true);
    },
    verb: (t, id) => t.ledger.extend([id], ann, MINUTE),
    expected: "not_holder",
  },
};

/** `prune`: the journal gets shorter, the rules stay the same. */
export function pruneTests(harness: Harness): void {
  const on = onLedger(harness);

  describe.each(Object.keys(CASES))("after pruning: %s", (name) => {
    const { history, verb, expected } = present(CASES[name]);
    it(
      `(${expected})`,
      on(async (t) => {
        const [id = 0, other = 0] = await t.addMany(2);
        await history(t, id);
        expect((await pruneAll(t, other)).dropped).toBeGreaterThanOrEqual(2);
        if (expected === "allowed") await verb(t, id);
        else await t.refused(expected, [id], () => verb(t, id));
      }),
    );
  });

  describe("prune", () => {
    it(
      "drops what is older and tells how much and how far; what is left keeps its numbers",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.ledger.edit([a], { title: "x" }, ann);
        await t.claim(a, ann, 60 * MINUTE);
        await t.ledger.note([b], "old", bob);
        await t.reach((await t.now()) + 50);
        const before = await t.now();
        await t.ledger.note([b], "new", bob);
        await t.ledger.note([b], "newest", bob);
        const all = await t.ledger.events({});
        expect(await t.ledger.prune(before, eve)).toEqual({ dropped: 4, through: 5 });
        const kept = all.filter(({ seq }) => [4, 6, 7].includes(seq));
        expect(await t.ledger.events({})).toEqual(kept);
        expect((await t.get(a)).history).toEqual(kept.slice(0, 1));
        expect(await t.ledger.prune(before, eve)).toEqual({ dropped: 0, through: 5 });
        expect(await t.ledger.prune(0, eve)).toEqual({ dropped: 0, through: 5 });
      }),
    );

    it(
      "drops nothing where nothing is old, or there at all",
      on(async (t) => {
        expect(await t.ledger.prune((await t.now()) + MINUTE, eve)).toEqual({ dropped: 0, through: 0 });
        await t.addMany(3);
        expect(await t.ledger.prune((await t.now()) - MINUTE, eve)).toEqual({ dropped: 0, through: 0 });
        expect(await t.ledger.events({ after: 0 })).toHaveLength(3);
      }),
    );

    it(
      "never lets a number be used again, nor time go back: the newest event stays",
      on(async (t) => {
        const id = await t.addOne();
        for (let i = 0; i < 3; i++) await t.ledger.note([id], `${i}`, ann);
        expect(await t.ledger.prune((await t.now()) + MINUTE, eve)).toEqual({ dropped: 3, through: 3 });
        const [newest] = await t.ledger.events({});
        expect(newest).toMatchObject({ seq: 4 });
        t.clock?.advance(-60 * MINUTE);
        const [noted] = await t.ledger.note([id], "next", ann);
        expect(present(noted).seq).toBe(5);
        expect(present(noted).at).toBeGreaterThanOrEqual(present(newest).at);
      }),
    );

    it(
      "is told to readers that ask for what was dropped, of one task too, on any connection; others read on",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        for (let i = 0; i < 4; i++) await t.ledger.note([a], `${i}`, ann);
        await t.ledger.claim([b], ann, long);
        await t.ledger.note([a], "newest", ann);
        const second = await t.second();
        expect(await t.ledger.prune((await t.now()) + 1, eve)).toEqual({ dropped: 6, through: 6 });
        for (const ledger of [t.ledger, second]) {
          for (const query of [{ after: 0 }, { after: 5 }, { after: 5, task: b }, { after: 0, last: 1 }]) {
            const refusal = await t.refused("pruned", [], () => ledger.events(query));
            expect(refusal.message).toBe("The journal before event 7 is not kept any more.");
            expect(refusal.hint).toBeTruthy();
          }
          const seqs = async (query: Parameters<typeof ledger.events>[0]) =>
            (await ledger.events(query)).map((event) => event.seq);
          expect(await seqs({ after: 6 })).toEqual([7, 8]);
          expect(await seqs({ after: 7, task: a })).toEqual([8]);
          expect(await seqs({})).toEqual([7, 8]);
          expect(await seqs({ task: b })).toEqual([7]);
          expect(await seqs({ last: 9 })).toEqual([7, 8]);
        }
      }),
    );

    it(
      "keeps of each holder of each task only the newest gain and the newest end",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        for (const by of [ann, bob, ann])
          for (const id of [a, b]) {
            await t.claim(id, by, long);
            await t.ledger.release([id], by);
          }
        const wanted = [bob, ann].flatMap(({ actor }) =>
          [a, b].flatMap((id) => ["acquired", "released"].map((kind) => [id, actor, kind])),
        );
        await pruneAll(t, a);
        const left = (await t.ledger.events({})).map(({ task, actor, kind }) => [task, actor, kind]);
        expect(left).toEqual([...wanted, [a, "eve", "noted"]]);
      }),
    );

    it(
      "keeps imports: a second run finds what is here",
      on(async (t) => {
        const here = await t.addOne({ title: "mine" });
        const lines = [{ id: here, title: "theirs", created_at: 1e12 }];
        const { renumbered } = await t.ledger.import(lines, ann);
        await pruneAll(t, here);
        expect(await t.ledger.import(lines, ann)).toEqual({
          added: 0,
          existing: 1,
          unresolved: 0,
          renumbered,
        });
      }),
    );

    it(
      "keeps approvals that are good, and drops those that are not",
      on(async (t) => {
        const id = await t.addOne();
        await t.claim(id, ann, 60 * MINUTE);
        const [short] = await t.ledger.approve([id], "short", t.ttl, eve);
        const [standing] = await t.ledger.approve([id], "standing", 60 * MINUTE, eve);
        await t.reach(present(short).until);
        await pruneAll(t, id);
        expect(await t.ledger.approvals(id)).toEqual([standing]);
        expect(await t.kinds(id)).toEqual(["acquired", "approved", "noted"]);
      }),
    );

    it(
      "keeps what was undone from being undone again, as long as it is there itself",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.ledger.setStatus([a], { verb: "paused" }, ann);
        const paused = present((await t.ledger.events({ task: a })).at(-1));
        await t.ledger.undo(null, ann);
        await t.ledger.setStatus([a], { verb: "paused" }, bob);
        await t.ledger.edit([b], { title: "x" }, ann);
        await t.ledger.undo(null, ann);
        await pruneAll(t, b);
        expect(await t.kinds(a)).toEqual(["paused", "undone", "paused"]);
        expect(await t.kinds(b)).toEqual(["noted"]);
        await t.refused("nothing_to_undo", [a], () => t.ledger.undo(paused.seq, ann));
        await t.refused("nothing_to_undo", [a, b], () => t.ledger.undo(null, ann));
      }),
    );

    it(
      "goes on after itself, and takes any time for what it is",
      on(async (t) => {
        const id = await t.addOne();
        await pruneAll(t, id);
        for (let i = 0; i < 3; i++) await t.ledger.note([id], `${i}`, ann);
        const all = await numbers(t);
        expect(await t.ledger.prune(Number.MAX_SAFE_INTEGER, eve)).toMatchObject({ through: present(all.at(-2)) });
        expect(await numbers(t)).toEqual(all.slice(-1));
        expect(await t.ledger.prune(-1, eve)).toMatchObject({ dropped: 0 });
      }),
    );
  });
}
