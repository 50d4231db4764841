import { describe, expect, it } from "vitest";
import type { ListQuery, SortKey } from "../query.ts";
import { ann, type Bench, bob, type Harness, MINUTE, onLedger } from "./harness.ts";

const DUE = Date.UTC(2026, 0, 1);

/** Titles of what a query lists, in id order unless it sorts. */
async function titles(t: Bench, query: ListQuery): Promise<string[]> {
  const sort = query.sort ?? [{ key: "id" as const, descending: false }];
  return (await t.ledger.list({ ...query, sort })).tasks.map((task) => task.title);
}

/** One task for each thing that a filter can tell apart. */
async function seed(t: Bench): Promise<Record<string, number>> {
  const added = await t.ledger.add(
    [
      { title: "Alpha", project: "Web", owner: "ann", tags: ["red", "Blue"], priority: 0, due: DUE },
      { title: "beta", project: "api", owner: "bob", tags: ["red"], priority: 1, due: DUE + 1000 },
      { title: "gamma 50%_x", description: "about ALPHA things", status: "ready", tags: ["redder"] },
      { title: "delta", status: "paused", priority: 4 },
      { title: "held" },
      { title: "blocked" },
      { title: "finished" },
      { title: "lapsed" },
    ],
    ann,
  );
  const ids = Object.fromEntries(added.map(({ task }) => [task.title.split(" ")[0] ?? "", task.id]));
  const { Alpha = 0, beta = 0, held = 0, blocked = 0, finished = 0, lapsed = 0 } = ids;
  await t.ledger.edit([beta], { parent: Alpha }, ann);
  await t.ledger.addDependency(blocked, [beta], ann);
  await t.ledger.addDependency(held, [finished], ann);
  await t.ledger.setStatus([finished], { verb: "done" }, ann);
  await t.lapse(lapsed, bob);
  await t.claim(held, ann, 60 * MINUTE);
  return ids;
}

const FILTERS: readonly (readonly [name: string, query: ListQuery, expected: readonly string[]])[] = [
  ["open work by default", {}, ["Alpha", "beta", "gamma 50%_x", "held", "blocked", "lapsed"]],
  ["any status", { status: [] }, ["Alpha", "beta", "gamma 50%_x", "delta", "held", "blocked", "finished", "lapsed"]],
  ["status", { status: ["done", "paused"] }, ["delta", "finished"]],
  ["status ready only", { status: ["ready"] }, ["gamma 50%_x"]],
  ["a status nobody has", { status: ["weird"] }, []],
  ["project, without regard to case", { project: ["web"] }, ["Alpha"]],
  ["one project or another", { project: ["web", "API"] }, ["Alpha", "beta"]],
  ["owner", { owner: ["bob"] }, ["beta"]],
  ["tag", { tags: ["red"] }, ["Alpha", "beta"]],
  ["all tags of several", { tags: ["red", "blue"] }, ["Alpha"]],
  ["a part of a tag is none", { tags: ["re"] }, []],
  ["priority", { priority: [0, 4], status: [] }, ["Alpha", "delta"]],
  ["default priority", { priority: [2] }, ["gamma 50%_x", "held", "blocked", "lapsed"]],
  ["words in title or description", { text: ["alpha"] }, ["Alpha", "gamma 50%_x"]],
  ["every word", { text: ["alpha", "things"] }, ["gamma 50%_x"]],
  ["wildcards as they are", { text: ["50%_x"] }, ["gamma 50%_x"]],
  ["no wildcards", { text: ["%"] }, ["gamma 50%_x"]],
  ["held", { held: true }, ["held"]],
  ["held by", { heldBy: "ann:s1" }, ["held"]],
  ["held by one whose lease ran out", { heldBy: "bob:s1" }, []],
  ["free", { free: true }, ["Alpha", "beta", "gamma 50%_x", "blocked", "lapsed"]],
  ["expired", { expired: true }, ["lapsed"]],
  ["blocked", { blocked: true }, ["blocked"]],
  ["not blocked", { blocked: false }, ["Alpha", "beta", "gamma 50%_x", "held", "lapsed"]],
  ["due before, the moment itself not", { dueBefore: DUE + 1000 }, ["Alpha"]],
  ["several criteria at once", { project: ["web", "api"], tags: ["red"], priority: [1], free: true }, ["beta"]],
];

const key = (name: SortKey, descending = false) => ({ key: name, descending });

/** `list`: filters, orders, the limit and chosen fields. */
export function listTests(harness: Harness): void {
  const on = onLedger(harness);

  describe("list", () => {
    it(
      "filters by everything it can be asked",
      on(async (t) => {
        const ids = await seed(t);
        for (const [name, query, expected] of FILTERS) expect(await titles(t, query), name).toEqual(expected);
        expect(await titles(t, { parent: ids.Alpha }), "parent").toEqual(["beta"]);
        const now = await t.now();
        expect(await titles(t, { dueBefore: now }), "overdue").toEqual(["Alpha", "beta"]);
      }),
    );

    it(
      "gives the same tasks as get",
      on(async (t) => {
        await seed(t);
        const { tasks } = await t.ledger.list({ status: [] });
        const details = await t.ledger.get(tasks.map((task) => task.id));
        expect(tasks).toEqual(details.map(({ history, blocks, children, ...task }) => task));
      }),
    );

    it(
      "sorts by every key, both ways, by id among equals; no due date comes last either way",
      on(async (t) => {
        const tasks = [
          { title: "c", priority: 3, project: "y", due: DUE + 2 },
          { title: "a", priority: 0, project: "z" },
          { title: "b", priority: 3, project: "x", due: DUE + 1 },
          { title: "d", priority: 1, project: "w", due: DUE + 3, status: "ready" },
        ] as const;
        for (const task of tasks) {
          await t.addOne(task);
          t.clock?.advance(1000);
          await t.reach((await t.now()) + 5);
        }
        const [first] = (await t.ledger.list({ sort: [key("id")] })).tasks;
        if (first) await t.ledger.edit([first.id], { owner: "x" }, ann);
        const order = async (...sort: ReturnType<typeof key>[]) => (await titles(t, { sort })).join("");
        const expected = {
          id: ["cabd", "dbac"],
          title: ["abcd", "dcba"],
          priority: ["adcb", "cbda"],
          due: ["bcda", "dcba"],
          created: ["cabd", "dbac"],
          updated: ["abdc", "cdba"],
          project: ["dbca", "acbd"],
          status: ["cabd", "dcab"],
          urgency: ["adbc", "cbda"],
        } satisfies Record<SortKey, readonly [string, string]>;
        for (const [name, [up, down]] of Object.entries(expected)) {
          expect(await order(key(name as SortKey)), name).toBe(up);
          expect(await order(key(name as SortKey, true)), `${name}, descending`).toBe(down);
        }
        expect(await order(key("priority", true), key("title"))).toBe("bcda");
        expect((await t.ledger.list({})).tasks.map((task) => task.title).join("")).toBe("adbc");
      }),
    );

    it(
      "says whether the limit left some out",
      on(async (t) => {
        await t.addMany(3);
        const cut = async (limit?: number) => {
          const listed = await t.ledger.list({ ...(limit !== undefined && { limit }) });
          return [listed.tasks.length, listed.cut];
        };
        expect(await cut(2)).toEqual([2, true]);
        expect(await cut(3)).toEqual([3, false]);
        expect(await cut(4)).toEqual([3, false]);
        expect(await cut(0)).toEqual([3, false]);
        expect(await cut()).toEqual([3, false]);
      }),
    );

    it(
      "gives chosen fields the values that all fields have",
      on(async (t) => {
        await seed(t);
        const { tasks } = await t.ledger.list({ status: [] });
        const fields = ["id", "title", "status", "tags", "blocked_by", "lease_state", "fence", "evidence"] as const;
        const chosen = await t.ledger.list({ status: [], fields });
        const pick = (task: (typeof tasks)[number]) => fields.map((field) => task[field]);
        expect(chosen.tasks.map(pick)).toEqual(tasks.map(pick));
      }),
    );
  });

  describe("stats", () => {
    it(
      "counts",
      on(async (t) => {
        const now = await t.now();
        const [a = 0, b = 0, c = 0, d = 0, e = 0] = await t.addMany(5);
        await t.ledger.edit([e], { due: now - 1 }, ann);
        await t.ledger.addDependency(d, [e], ann);
        await t.reach((await t.now()) + 50);
        await t.ledger.setStatus([a], { verb: "done" }, ann);
        await t.lapse(b, bob);
        await t.claim(c, bob, 60 * MINUTE);
        await t.addOne({ status: "paused", due: now - 1 });
        const stats = await t.ledger.stats();
        expect(stats).toMatchObject({ total: 6, held: 1, expired: 1, blocked: 1, overdue: 1, done_last_7_days: 1 });
        expect(stats.by_status).toEqual({ open: 4, done: 1, paused: 1 });
        expect(stats.events).toBe((await t.ledger.events({})).length);
        expect(stats.median_time_to_done_ms).toBeGreaterThanOrEqual(50);
        expect(stats.store).not.toBe("");
        t.clock?.advance(8 * 24 * 60 * MINUTE);
        if (t.clock) expect(await t.ledger.stats()).toMatchObject({ done_last_7_days: 0, held: 0, expired: 2 });
      }),
    );

    it(
      "of an empty ledger are zero",
      on(async (t) => {
        expect(await t.ledger.stats()).toMatchObject({
          total: 0,
          by_status: {},
          held: 0,
          expired: 0,
          blocked: 0,
          overdue: 0,
          events: 0,
          done_last_7_days: 0,
          median_time_to_done_ms: null,
        });
      }),
    );
  });
}
