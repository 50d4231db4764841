import type { Ledger, ListQuery, Sort, Transferable } from "@alai/core";
import { SORT_KEYS } from "@alai/core";
import { dice, drawStep, outcomeOf } from "@alai/core/conformance/random-ledger";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { describe, expect, it } from "vitest";
import { folder } from "../../core/folder.ts";
import { onReplicas } from "./open.ts";

const DAY = 24 * 3_600_000;

/** The same on both: the two stores' clocks are not one, so what tells the time is masked. */
function masked(value: unknown): unknown {
  const near = Date.now();
  const text = JSON.stringify(value, (_name, member) =>
    typeof member === "number" && Math.abs(member - near) < 2 * DAY ? "T" : member,
  );
  return JSON.parse(
    (text ?? "null").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "T").replaceAll(/\(\d+ s left\)/g, "(left)"),
  );
}

const FILTERS: readonly ListQuery[] = [
  {},
  { status: [] },
  { status: ["done", "paused"] },
  { status: [], project: ["PLAIN", "null"] },
  { status: [], tags: ["A"] },
  { status: [], tags: ["c1", "c2"] },
  { status: [], priority: [0, 2] },
  { status: [], text: ["T1", "plain"] },
  { status: [], text: ["%_"] },
  { held: true, status: [] },
  { free: true },
  { blocked: true },
  { blocked: false },
  { heldBy: "ann:s1", status: [] },
  { dueBefore: 9e12, status: [] },
  { parent: 3 },
];

const ORDERS: readonly Sort[][] = SORT_KEYS.filter((key) => key !== "created" && key !== "updated").flatMap((key) => [
  [{ key, descending: false }],
  [{ key, descending: true }],
]);

/** All that can be asked, in every way. */
async function answers(ledger: Ledger & Transferable): Promise<unknown[]> {
  const { store: _s, kind: _k, schema: _v, ledger: _l, median_time_to_done_ms: _t, ...stats } = await ledger.stats();
  const { tasks } = await ledger.list({ status: [] });
  const lists = await Promise.all(FILTERS.map((filter) => ledger.list(filter)));
  const orders = await Promise.all(
    ORDERS.map(async (sort) => (await ledger.list({ status: [], sort })).tasks.map(({ id }) => id)),
  );
  const looks = await Promise.all(
    FILTERS.map((filter) => outcomeOf(ledger.next(filter, { actor: "x", session: "y" }, null))),
  );
  const rows: unknown[] = [];
  for await (const row of ledger.dump()) rows.push(row);
  return [stats, lists, orders, looks, await ledger.get(tasks.map(({ id }) => id)), rows];
}

describe.concurrent("Postgres answers as SQLite does", () => {
  it.for([1, 2, 3, 4, 5, 6])("over a random history (seed %i): each answer, each refusal, each row", (seed) =>
    onReplicas(async ({ ledger }) => {
      const temp = folder();
      const sqlite = await SqliteLedger.open(temp.file("ledger.db"), { missing: "create" });
      const now = Date.now();
      const [here, there] = [dice(seed), dice(seed)];
      try {
        for (let step = 0; step < 250; step++) {
          const expected = await outcomeOf(drawStep(there, now)(sqlite));
          const answer = await outcomeOf(drawStep(here, now)(ledger));
          expect(masked(answer), `step ${step}`).toEqual(masked(expected));
        }
        expect(masked(await answers(ledger))).toEqual(masked(await answers(sqlite)));
      } finally {
        sqlite.close();
        temp.remove();
      }
    })(),
  );
});
