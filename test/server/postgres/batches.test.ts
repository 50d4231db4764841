import { present } from "@alai/core/conformance/harness";
import { describe, expect, it } from "vitest";
import { Batcher } from "../../../server/src/postgres/batcher.ts";
import { until } from "../streams/bench.ts";
import { addMany, onReplicas, settled } from "./open.ts";

const MINUTE = 60_000;
const caller = (i: number) => ({ actor: `w${i}`, session: "s" });

describe("a batcher", () => {
  it("makes one batch of what is called while another is under way, and answers each its own", async () => {
    const sizes: number[] = [];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const batcher = new Batcher<number, number>(
      (queue) => queue.splice(0),
      async (batch) => {
        sizes.push(batch.length);
        await held;
        for (const { call, resolve } of batch) resolve(call * 2);
        return [];
      },
    );
    const first = batcher.ask(1);
    await until(() => sizes.length === 1, "the first is under way");
    const rest = Promise.all(Array.from({ length: 30 }, (_, i) => batcher.ask(i + 2)));
    goOn();
    expect(await first).toBe(2);
    expect(await rest).toEqual(Array.from({ length: 30 }, (_, i) => (i + 2) * 2));
    expect(sizes).toEqual([1, 30]);
  });

  it("asks again for what a batch leaves, before what came later", async () => {
    const seen: number[][] = [];
    const batcher = new Batcher<number, number>(
      (queue) => queue.splice(0, 3),
      async (batch) => {
        seen.push(batch.map(({ call }) => call));
        const [, ...left] = batch;
        batch[0]?.resolve(batch[0].call);
        return left;
      },
    );
    await Promise.all([1, 2, 3, 4].map((call) => batcher.ask(call)));
    expect(seen).toEqual([[1, 2, 3], [2, 3, 4], [3, 4], [4]]);
  });
});

describe.concurrent("claims of many callers at once", () => {
  it(
    "on a few tasks have one winner each, and the others are told who it is",
    onReplicas(async ({ ledger }) => {
      const ids = await addMany(ledger, 4);
      const calls = Array.from({ length: 64 }, (_, i) => ledger.claim([present(ids[i % 4])], caller(i), 10 * MINUTE));
      const { values, codes } = await settled(calls);
      expect(values.flat().map((grant) => [grant.id, grant.fence])).toHaveLength(4);
      expect(new Set(values.flat().map(({ id }) => id)).size).toBe(4);
      expect(codes).toEqual(Array(60).fill("held"));
      const tasks = await ledger.get(ids);
      for (const grant of values.flat())
        expect(tasks.find(({ id }) => id === grant.id)).toMatchObject({ lease_holder: grant.holder, attempts: 1 });
    }),
  );

  it(
    "and releases and extends in any order leave each task as one after the other would",
    onReplicas(async ({ ledger }) => {
      const [id = 0] = await addMany(ledger, 1);
      const me = caller(1);
      const [first, again, longer, released, other] = await Promise.all([
        ledger.claim([id], me, MINUTE),
        ledger.claim([id], me, 2 * MINUTE),
        ledger.extend([id], me, 30 * MINUTE),
        ledger.release([id], me),
        ledger.claim([id], caller(2), MINUTE).catch((error: { code: string }) => error.code),
      ]);
      expect(first).toMatchObject([{ fence: 1, idempotent: false }]);
      expect(again).toMatchObject([{ fence: 1, idempotent: true }]);
      expect(present(longer[0]).until).toBeGreaterThan(present(again[0]).until);
      expect(released).toEqual([{ id, fence: 1, already_free: false }]);
      // It was refused at once, by the first batch: the task was held then.
      expect(other).toBe("held");
      const events = await ledger.events({ task: id });
      expect(events.map(({ kind }) => kind)).toEqual(["added", "acquired", "released"]);
    }),
  );

  it(
    "over several tasks are all or none, beside others in the same batch",
    onReplicas(async ({ ledger }) => {
      const [a = 0, b = 0, c = 0, d = 0] = await addMany(ledger, 4);
      await ledger.claim([b], caller(9), 10 * MINUTE);
      const { values, codes } = await settled([
        ledger.claim([a, b], caller(1), MINUTE),
        ledger.claim([c, d], caller(2), MINUTE),
        ledger.claim([d, a], caller(3), MINUTE),
      ]);
      expect(values.map((grants) => grants.map(({ id }) => id))).toEqual([[c, d]]);
      expect(codes).toEqual(["held", "held"]);
      expect((await ledger.get([a])).map((task) => task.lease_holder)).toEqual([null]);
    }),
  );

  it(
    "are not spoilt by one that Postgres cannot keep",
    onReplicas(async ({ ledger }) => {
      const ids = await addMany(ledger, 3);
      const { values, codes } = await settled(
        ids.map((id, i) => ledger.claim([id], { actor: i === 1 ? "nul\0" : "w", session: "s" }, MINUTE)),
      );
      expect(values.flat().map(({ id }) => id)).toEqual([ids[0], ids[2]]);
      expect(codes).toEqual(["bad_input"]);
    }),
  );

  it(
    "of the next task give each caller another one, in urgency order, with how many were ready",
    onReplicas(async ({ ledger }) => {
      await addMany(ledger, 10, { priority: 3 });
      await addMany(ledger, 10, { priority: 1 });
      const calls = Array.from({ length: 24 }, (_, i) => ledger.next({}, caller(i), { ttl: 10 * MINUTE }));
      const { values, codes } = await settled(calls);
      expect(codes).toEqual(Array(4).fill("none_ready"));
      const order = [...Array(10).keys()].map((i) => i + 11).concat([...Array(10).keys()].map((i) => i + 1));
      expect(values.map(({ task }) => task.id)).toEqual(order);
      values.forEach(({ task, why }, i) => {
        expect(why[0]).toBe(`priority ${task.priority}, none of the ${20 - i} ready is higher`);
      });
      expect(values.at(-1)?.why.at(-1)).toBe("the only one ready");
    }),
  );

  it(
    "of the next task with different filters go to different tasks",
    onReplicas(async ({ ledger }) => {
      const ann = { actor: "ann", session: "s1" };
      await ledger.add(
        Array.from({ length: 12 }, (_, i) => ({ title: `${i}`, project: i % 2 ? "it's" : "B" })),
        ann,
      );
      const calls = Array.from({ length: 12 }, (_, i) =>
        ledger.next({ project: [i % 2 ? "IT'S" : "b"] }, caller(i), { ttl: MINUTE }),
      );
      const { values, codes } = await settled(calls);
      expect(codes).toEqual([]);
      expect(values.map(({ task }) => task.project)).toEqual(values.map((_, i) => (i % 2 ? "it's" : "B")));
    }),
  );

  it(
    "with keys are each made once, also when all come twice",
    onReplicas(async ({ ledger, open }) => {
      const second = await open();
      const ids = await addMany(ledger, 16);
      const calls = ids.flatMap((id, i) =>
        [ledger, second].map((to) =>
          to.claim([id], { ...caller(i), request: { key: `k${i}`, fingerprint: "f" } }, MINUTE),
        ),
      );
      const { values, codes } = await settled(calls);
      expect(new Set(codes)).toEqual(codes.length > 0 ? new Set(["in_flight"]) : new Set());
      expect(values.length + codes.length).toBe(32);
      for (const grant of values.flat()) expect(grant).toMatchObject({ fence: 1, idempotent: false });
      expect((await ledger.events({})).filter(({ kind }) => kind === "acquired")).toHaveLength(16);
    }),
  );

  it(
    "under the same key in one process are made once",
    onReplicas(async ({ ledger }) => {
      await addMany(ledger, 3);
      const by = { ...caller(1), request: { key: "k", fingerprint: "f" } };
      const { values, codes } = await settled([1, 2, 3].map(() => ledger.next({}, by, { ttl: MINUTE })));
      expect(new Set(values.map(({ task }) => task.id)).size).toBe(1);
      expect(codes).toEqual(Array(3 - values.length).fill("in_flight"));
      expect((await ledger.stats()).held).toBe(1);
    }),
  );
});
