import { describe, expect, it } from "vitest";
import type { Caller } from "../ledger.ts";
import { ann, type Bench, bob, type Harness, MINUTE, onLedger, present } from "./harness.ts";

/** Each kind of change that can be undone: makes it on task `id`, with `other` at hand. */
const CHANGES: Readonly<Record<string, (t: Bench, id: number, other: number) => Promise<unknown>>> = {
  edited: (t, id, other) =>
    t.ledger.edit(
      [id],
      { title: "new", description: null, priority: 0, addTags: ["z"], removeTags: ["a"], parent: other, due: 1e12 + 7 },
      ann,
    ),
  done: (t, id) => t.ledger.setStatus([id], { verb: "done" }, ann),
  ready: (t, id) => t.ledger.setStatus([id], { verb: "ready" }, ann),
  paused: (t, id) => t.ledger.setStatus([id], { verb: "paused" }, ann),
  cancelled: (t, id) => t.ledger.setStatus([id], { verb: "cancelled" }, ann),
  reopened: async (t, id) => {
    await t.ledger.setStatus([id], { verb: "done" }, bob);
    t.clock?.advance(1000);
    await t.ledger.setStatus([id], { verb: "reopened" }, ann);
  },
  dep_added: (t, id, other) => t.ledger.addDependency(id, [other], ann),
  dep_removed: async (t, id, other) => {
    await t.ledger.addDependency(id, [other], bob);
    await t.ledger.removeDependency(id, [other], ann);
  },
};

/** `undo`: a compensating event, never a hole in the journal. */
export function undoTests(harness: Harness): void {
  const on = onLedger(harness);
  const content = async (t: Bench, id: number) => {
    const { history: _history, version: _version, updated_at: _at, ...rest } = await t.get(id);
    return rest;
  };
  const lastOf = async (t: Bench, id: number) => present((await t.ledger.events({ task: id })).at(-1));

  describe.each(Object.keys(CHANGES))("undo of %s", (kind) => {
    const change = present(CHANGES[kind]);
    const prepare = async (t: Bench) => {
      const id = await t.addOne({ title: "old", description: "d", tags: ["a"] }, bob);
      const other = await t.addOne({}, bob);
      await change(t, id, other);
      return { id, event: await lastOf(t, id) };
    };

    it(
      "puts the fields back, adds an event, and can itself not be repeated",
      on(async (t) => {
        const fresh = await t.addOne({ title: "old", description: "d", tags: ["a"] }, bob);
        const { id, event } = await prepare(t);
        expect(event.kind).toBe(kind);
        const { version } = await t.get(id);
        const doneAt = (await t.ledger.events({ task: id })).find(({ kind }) => kind === "done")?.at;
        const undone = await t.ledger.undo(null, ann);
        expect(undone).toMatchObject({ kind: "undone", task: id, actor: "ann", data: { undoes: event.seq, kind } });
        expect(await lastOf(t, id)).toEqual(undone);
        expect((await t.get(id)).version).toBe(version + 1);
        const { id: _id, created_at: _created, ...expected } = await content(t, fresh);
        if (kind !== "reopened" && kind !== "dep_removed") expect(await content(t, id)).toMatchObject(expected);
        if (kind === "reopened") expect(await t.get(id)).toMatchObject({ status: "done", done_at: doneAt });
        if (kind === "dep_removed") expect((await t.get(id)).blocked_by).toHaveLength(1);
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(event.seq, ann));
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(event.seq, bob));
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(null, ann));
      }),
    );

    it(
      "is refused while another holds the task",
      on(async (t) => {
        const { id, event } = await prepare(t);
        await t.ledger.setStatus([id], { verb: "reopened" }, bob);
        for (const blocker of (await t.get(id)).blocked_by) await t.ledger.removeDependency(id, [blocker], bob);
        await t.claim(id, bob, 10 * MINUTE);
        await t.refused("held", [id], () => t.ledger.undo(event.seq, ann));
      }),
    );
  });

  describe("undo", () => {
    it(
      "of added cancels the task",
      on(async (t) => {
        const id = await t.addOne({}, ann);
        await t.ledger.undo(null, ann);
        expect(await t.get(id)).toMatchObject({ status: "cancelled" });
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(null, ann));
      }),
    );

    it(
      "of added refuses when the task was closed since: that is somebody's result",
      on(async (t) => {
        const id = await t.addOne({}, ann);
        await t.claim(id, bob);
        await t.ledger.setStatus([id], { verb: "done" }, bob);
        await t.refused("version_conflict", [id], () => t.ledger.undo(null, ann));
      }),
    );

    it(
      "that closes the task ends the caller's lease with it",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.ledger.setStatus([a], { verb: "done" }, bob);
        await t.ledger.setStatus([a], { verb: "reopened" }, ann);
        const reopened = await lastOf(t, a);
        const added = present((await t.ledger.events({ task: b }))[0]);
        await t.ledger.claim([a, b], ann, 10 * MINUTE);
        await t.ledger.undo(reopened.seq, ann);
        await t.ledger.undo(added.seq, ann);
        expect(await t.get(a)).toMatchObject({ status: "done", lease_state: "free", lease_holder: null, fence: 1 });
        expect(await t.get(b)).toMatchObject({ status: "cancelled", lease_state: "free", fence: 1 });
      }),
    );

    it(
      "of done takes away the evidence that came with it, and leaves what was there before",
      on(async (t) => {
        const file = (name: string) => ({ path: `/tmp/${name}.log`, sha256: name.repeat(64), size: 7 });
        const id = await t.addOne({}, bob);
        await t.ledger.setStatus([id], { verb: "done", evidence: [file("a")] }, bob);
        await t.ledger.setStatus([id], { verb: "reopened" }, bob);
        await t.ledger.setStatus([id], { verb: "done", evidence: [file("a"), file("b")] }, ann);
        const undone = await t.ledger.undo(null, ann);
        expect(undone.data).toMatchObject({ kind: "done", evidence: [file("b")] });
        expect(await t.get(id)).toMatchObject({ status: "open", evidence: [file("a")] });
        await t.ledger.setStatus([id], { verb: "done", evidence: [file("b")] }, ann);
        expect((await t.get(id)).evidence).toEqual([file("a"), file("b")]);
      }),
    );

    it(
      "walks back through one's own changes, newest first, and leaves others' alone",
      on(async (t) => {
        const id = await t.addOne({ title: "0" }, bob);
        await t.ledger.edit([id], { title: "1" }, ann);
        await t.ledger.edit([id], { title: "2" }, ann);
        await t.ledger.edit([id], { owner: "bob" }, bob);
        await t.ledger.undo(null, ann);
        expect(await t.get(id)).toMatchObject({ title: "1", owner: "bob" });
        await t.ledger.undo(null, ann);
        expect(await t.get(id)).toMatchObject({ title: "0", owner: "bob" });
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(null, { actor: "ann", session: "s2" }));
      }),
    );

    it(
      "refuses when the field was changed again since, also back and forth by another",
      on(async (t) => {
        const id = await t.addOne({ title: "0" }, bob);
        await t.ledger.edit([id], { title: "1", owner: "x" }, ann);
        const event = await lastOf(t, id);
        await t.ledger.edit([id], { title: "2" }, bob);
        const refusal = await t.refused("version_conflict", [id], () => t.ledger.undo(event.seq, ann));
        expect(refusal.message).toContain("title");
        await t.ledger.setStatus([id], { verb: "paused" }, ann);
        const paused = await lastOf(t, id);
        await t.ledger.setStatus([id], { verb: "done" }, bob);
        await t.refused("version_conflict", [id], () => t.ledger.undo(paused.seq, ann));
      }),
    );

    it(
      "of a dependency refuses when it was changed since, and never makes a cycle",
      on(async (t) => {
        const [a = 0, b = 0] = await t.addMany(2);
        await t.ledger.addDependency(a, [b], ann);
        const added = await lastOf(t, a);
        await t.ledger.removeDependency(a, [b], bob);
        const removed = await lastOf(t, a);
        await t.refused("version_conflict", [a, b], () => t.ledger.undo(added.seq, ann));
        await t.ledger.addDependency(b, [a], ann);
        await t.refused("cycle", [a, b], () => t.ledger.undo(removed.seq, bob));
      }),
    );

    it(
      "refuses what cannot be undone, and events that are not there",
      on(async (t) => {
        const id = await t.addOne({}, bob);
        await t.claim(id, ann);
        await t.ledger.note([id], "x", ann);
        for (const event of (await t.ledger.events({ task: id })).slice(1))
          await t.refused("nothing_to_undo", [id], () => t.ledger.undo(event.seq, ann));
        await t.refused("nothing_to_undo", [id], () => t.ledger.undo(null, ann));
        await t.refused("not_found", [id], () => t.ledger.undo(987_654, ann));
      }),
    );

    it(
      "by a superseded worker is fenced",
      on(async (t) => {
        const id = await t.addOne({}, bob);
        const { until } = await t.claim(id, ann);
        await t.ledger.edit([id], { title: "x" }, ann);
        const event = await lastOf(t, id);
        await t.reach(Math.max(until, (await t.status(id)).until ?? 0));
        await t.claim(id, bob, 10 * MINUTE);
        const late: Caller = ann;
        await t.refused("fenced", [id], () => t.ledger.undo(event.seq, late));
      }),
    );
  });
}
