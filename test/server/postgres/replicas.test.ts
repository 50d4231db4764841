import { setTimeout as sleep } from "node:timers/promises";
import { holderOf, present } from "@alai/core/conformance/harness";
import { monotonic } from "@alai/core/monotonic";
import { describe, expect, it } from "vitest";
import type { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { query } from "./database.ts";
import { addMany, onReplicas, type Replicas, settled } from "./open.ts";

const MINUTE = 60_000;
const ann = { actor: "ann", session: "s1" };

/** The whole journal is gap-free, its times ascend, and what it tells of each lease is what the rows say. */
async function checkJournal(ledger: PostgresLedger): Promise<void> {
  const events = await ledger.events({});
  expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
  const times = events.map((event) => event.at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const { tasks } = await ledger.list({ status: [] });
  const gained = events.filter(({ kind }) => kind === "acquired" || kind === "taken_over");
  for (const task of tasks) {
    const fences = gained.filter((event) => event.task === task.id).map((event) => event.fence);
    expect(fences).toEqual(fences.map((_, i) => i + 1));
    expect(task.fence).toBe(fences.length);
  }
}

/** What a worker does with a task it has got. */
async function work(ledger: PostgresLedger, id: number, me: typeof ann, i: number): Promise<void> {
  if (i % 5 === 0) await ledger.note([id], "n", me);
  if (i % 7 === 0) await ledger.edit([id], { description: `${i}` }, me);
  if (i % 3 === 0) await ledger.extend([id], me, 20 * MINUTE);
  await ledger.release([id], me);
}

/** Work of every kind on a few tasks, on all replicas at once. */
async function crowd(replicas: readonly PostgresLedger[], ids: readonly number[], each: number): Promise<void> {
  const worker = async (ledger: PostgresLedger, r: number, w: number) => {
    const me = { actor: `r${r}`, session: `${w}` };
    for (let i = 0; i < each; i++) {
      const id = present(ids[(i * 7 + w * 3 + r) % ids.length]);
      const { codes } = await settled<unknown>([ledger.claim([id], me, 10 * MINUTE)]);
      if (codes.length === 0) await work(ledger, id, me, i);
      else expect(codes).toEqual(["held"]);
    }
  };
  await Promise.all(replicas.flatMap((ledger, r) => Array.from({ length: 8 }, (_, w) => worker(ledger, r, w))));
}

describe("replicas", () => {
  it(
    "of one ledger behave as one under all kinds of work: no gap, no fence twice, nothing lost",
    onReplicas(async ({ ledger, open }) => {
      const replicas = [ledger, await open(), await open({ notify: false })];
      const ids = await addMany(ledger, 6);
      await crowd(replicas, ids, 12);
      await checkJournal(ledger);
      expect((await ledger.stats()).held).toBe(0);
    }),
  );

  it(
    "give every task to one of many that ask for the next at once, and to the first in urgency",
    onReplicas(async ({ ledger, open }) => {
      const replicas = [ledger, await open(), await open()];
      const ids = await addMany(ledger, 60);
      const workers = Array.from({ length: 66 }, (_, i) => ({ actor: `w${i}`, session: "s" }));
      const { values, codes } = await settled(
        workers.map((worker, i) => present(replicas[i % 3]).next({}, worker, { ttl: 10 * MINUTE })),
      );
      expect(values.map(({ task }) => task.id).toSorted((a, b) => a - b)).toEqual(ids);
      expect(codes).toEqual(Array(6).fill("none_ready"));
      await checkJournal(ledger);
      // What was taken later is no more urgent: the journal has them in the order in which they were handed out.
      const taken = (await ledger.events({})).filter(({ kind }) => kind === "acquired").map(({ task }) => task);
      expect(taken).toEqual(ids);
    }),
  );

  it(
    "never let two hold a task, when its leases run out all the time",
    onReplicas(async ({ ledger, open }) => {
      const replicas = [ledger, await open()];
      const [id = 0] = await addMany(ledger, 1);
      const grants: { until: number; from: number; holder: string }[] = [];
      await Promise.all(
        replicas.flatMap((replica, r) =>
          Array.from({ length: 6 }, async (_, w) => {
            const me = { actor: `r${r}`, session: `${w}` };
            for (let i = 0; i < 12; i++) {
              const { values, codes } = await settled([replica.claim([id], me, 30)]);
              expect(codes).toEqual(values.length > 0 ? [] : ["held"]);
              const fresh = values.flat().filter(({ idempotent }) => !idempotent);
              grants.push(...fresh.map(({ until, holder }) => ({ until, from: until - 30, holder })));
              await sleep(5 + Math.random() * 20);
            }
          }),
        ),
      );
      const inTime = grants.toSorted((a, b) => a.from - b.from);
      for (const [i, grant] of inTime.entries())
        if (i > 0) expect(grant.from).toBeGreaterThanOrEqual(present(inTime[i - 1]).until);
      await checkJournal(ledger);
    }),
  );

  it(
    "wake each other by hints, and within seconds without",
    onReplicas(async ({ ledger, open }) => {
      const deaf = await open({ notify: false });
      const other = await open();
      const wake = async (listener: PostgresLedger) => {
        await listener.changed(1);
        await sleep(100);
        await listener.changed(1);
        const start = monotonic();
        const woken = listener.changed(10 * MINUTE);
        await ledger.add([{ title: "news" }], ann);
        await woken;
        return monotonic() - start;
      };
      // Whoever gets no hints looks after a second, each time; a busy machine is late now and then.
      let hinted = await wake(other);
      for (let tries = 1; hinted >= 900 && tries < 20; tries++) hinted = await wake(other);
      expect(hinted).toBeLessThan(900);
      expect(await wake(deaf)).toBeLessThan(30_000);
    }),
  );

  it(
    "need no hints for anything but speed",
    onReplicas(
      async ({ ledger, open }: Replicas) => {
        const replicas = [ledger, await open()];
        const ids = await addMany(ledger, 4);
        await crowd(replicas, ids, 6);
        await checkJournal(ledger);
      },
      { notify: false },
    ),
  );

  it(
    "take no more connections than they were given, and one to listen",
    onReplicas(async ({ ledger, url }) => {
      const ids = await addMany(ledger, 20);
      await Promise.all(
        ids.flatMap((id) => [ledger.note([id], "x", ann), ledger.get([id]), ledger.claim([id], ann, MINUTE)]),
      );
      const { rows } = await query(
        url,
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'alai'",
      );
      expect(rows[0].n).toBeLessThanOrEqual(5);
      expect((await ledger.get([present(ids[0])]))[0]).toMatchObject({ lease_holder: holderOf(ann) });
    }),
  );
});
