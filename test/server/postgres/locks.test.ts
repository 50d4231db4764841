import { setTimeout as sleep } from "node:timers/promises";
import { present } from "@alai/core/conformance/harness";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { query } from "./database.ts";
import { addMany, onReplicas, type Replicas, settled } from "./open.ts";

const ann = { actor: "ann", session: "s1" };
const bob = { actor: "bob", session: "s1" };
const MINUTE = 60_000;

/** Runs `meanwhile` while another connection holds the rows of these tasks; gives them free after `ms`. */
async function whileLocked<T>(url: string, ids: readonly number[], ms: number, meanwhile: () => Promise<T>) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT FROM alai.tasks WHERE id = ANY ($1::bigint[]) FOR UPDATE", [ids]);
    const result = meanwhile().then(
      (value) => ({ value }),
      (error: { code?: string }) => ({ code: error.code }),
    );
    await sleep(ms);
    await client.query("COMMIT");
    return await result;
  } finally {
    await client.end();
  }
}

describe.concurrent("what waited for a row's lock is decided after it, by the clock of then", () => {
  const expiring = async ({ ledger }: Replicas) => {
    const [id = 0] = await addMany(ledger, 1);
    await ledger.claim([id], ann, 3000);
    return id;
  };

  it(
    "an extension that was asked for in time and got the row too late is refused",
    onReplicas(async (replicas) => {
      const { ledger, url } = replicas;
      const id = await expiring(replicas);
      const outcome = await whileLocked(url, [id], 3300, () => ledger.extend([id], ann, MINUTE));
      expect(outcome).toEqual({ code: "lease_expired" });
    }),
  );

  it(
    "an extension by an edit of the holder does not revive the lease either",
    onReplicas(async (replicas) => {
      const { ledger, url } = replicas;
      const id = await expiring(replicas);
      const outcome = await whileLocked(url, [id], 3300, () => ledger.edit([id], { title: "late" }, ann));
      expect(outcome).toMatchObject({ value: [{ title: "late", lease_state: "expired" }] });
    }),
  );

  it(
    "a claim that came too early and got the row after the lease had run out is granted, at a new fence",
    onReplicas(async (replicas) => {
      const { ledger, url } = replicas;
      const id = await expiring(replicas);
      const outcome = await whileLocked(url, [id], 3300, () => ledger.claim([id], bob, MINUTE));
      expect(outcome).toMatchObject({ value: [{ fence: 2, previous: "ann:s1" }] });
    }),
  );

  it(
    "a lease begins when the row was free, not when it was asked for",
    onReplicas(async ({ ledger, url }) => {
      const [id = 0] = await addMany(ledger, 1);
      const before = Date.now();
      const outcome = await whileLocked(url, [id], 500, () => ledger.claim([id], ann, MINUTE));
      const grant = "value" in outcome ? present(outcome.value[0]) : undefined;
      expect(present(grant).until).toBeGreaterThanOrEqual(before + 500 + MINUTE);
    }),
  );

  it(
    "(a single conditional update does extend it: what these tests are here to find)",
    onReplicas(async ({ ledger, url }) => {
      // It has to come before the end of the lease: where a connection takes seconds, the next lease is longer.
      const extended = async (ttl: number) => {
        const [id = 0] = await addMany(ledger, 1);
        await ledger.claim([id], ann, ttl);
        const outcome = await whileLocked(url, [id], ttl + 300, () =>
          query(
            url,
            `UPDATE alai.tasks SET lease_until = clock_timestamp() + interval '1 minute'
             WHERE id = $1 AND lease_until > clock_timestamp() RETURNING id`,
            [id],
          ),
        );
        return "value" in outcome && outcome.value.rowCount === 1;
      };
      expect((await extended(3000)) || (await extended(10_000)) || (await extended(30_000))).toBe(true);
    }),
  );
});

describe.concurrent("blockers", () => {
  it(
    "that are reopened while their waiter is claimed come after it in the journal, or stop it",
    onReplicas(async ({ ledger, open }) => {
      const second = await open();
      for (let round = 0; round < 25; round++) {
        const [task = 0, blocker = 0] = await addMany(ledger, 2);
        await ledger.addDependency(task, [blocker], ann);
        await ledger.setStatus([blocker], { verb: "done" }, bob);
        const { codes } = await settled<unknown>([
          ledger.claim([task], ann, MINUTE),
          second.setStatus([blocker], { verb: "reopened" }, bob),
        ]);
        const events = await ledger.events({ last: 3 });
        const of = (kind: string) => events.find((event) => event.kind === kind)?.seq ?? 0;
        if (codes.length === 0) expect(of("acquired")).toBeLessThan(of("reopened"));
        else expect(codes).toEqual(["blocked"]);
      }
    }),
  );

  it(
    "cannot be made to wait for each other by two at once",
    onReplicas(async ({ ledger, open }) => {
      const second = await open();
      for (let round = 0; round < 10; round++) {
        const [a = 0, b = 0] = await addMany(ledger, 2);
        const { values, codes } = await settled([ledger.addDependency(a, [b], ann), second.addDependency(b, [a], bob)]);
        expect(values).toHaveLength(1);
        expect(codes).toEqual(["cycle"]);
      }
    }),
  );

  it(
    "parents cannot be made each other's by two at once",
    onReplicas(async ({ ledger, open }) => {
      const second = await open();
      for (let round = 0; round < 10; round++) {
        const [a = 0, b = 0] = await addMany(ledger, 2);
        const { codes } = await settled([ledger.edit([a], { parent: b }, ann), second.edit([b], { parent: a }, bob)]);
        expect(codes).toEqual(["cycle"]);
      }
    }),
  );
});

describe("undo", () => {
  it(
    "by two at once takes back two changes",
    onReplicas(async ({ ledger, open }) => {
      const second = await open();
      const [id = 0] = await addMany(ledger, 1);
      // Where the second looks between the first's commit and its own lock: about one round of eighty.
      for (let round = 0; round < 200; round++) {
        await ledger.edit([id], { title: `${round}a` }, bob);
        await ledger.edit([id], { title: `${round}b` }, bob);
        const { values, codes } = await settled([ledger.undo(null, bob), second.undo(null, bob)]);
        expect(codes).toEqual([]);
        expect(new Set(values.map((event) => event.data.undoes)).size).toBe(2);
      }
    }),
  );
});
