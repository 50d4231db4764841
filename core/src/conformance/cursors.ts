import { describe, expect, it } from "vitest";
import type { ListQuery, Sort } from "../query.ts";
import { BadInput } from "../refusal.ts";
import { ann, type Bench, type Harness, onLedger, present } from "./harness.ts";

const DUE = Date.UTC(2026, 0, 1);

/** Equal values, missing values, and characters that a text form could stumble over. */
const TASKS = [
  { title: "b", priority: 1, due: DUE, project: "web" },
  { title: "a", priority: 1, due: DUE, project: "web" },
  { title: "ä 'quoted' \"twice\" 100%_ \\ 🜨", priority: 1 },
  { title: "a", priority: 1 },
  { title: "c", priority: 0, due: DUE + 1, project: "!" },
  { title: "A", status: "ready", project: "api" },
  { title: "z", due: DUE - 1, project: "Web" },
  { title: "y", due: DUE, status: "ready" },
  { title: "[1,2]", priority: 4, project: "null" },
  { title: "x", priority: 4, due: DUE + 5 },
] as const;

const up = (key: Sort["key"]): Sort => ({ key, descending: false });
const down = (key: Sort["key"]): Sort => ({ key, descending: true });

const ORDERS: readonly (readonly Sort[])[] = [
  [],
  ...(["urgency", "id", "priority", "due", "created", "updated", "status", "project", "title"] as const).flatMap(
    (key) => [[up(key)], [down(key)]],
  ),
  [up("priority"), down("due")],
  [down("priority"), up("title")],
  [down("due"), up("project"), down("title")],
  [up("project"), down("project"), down("id")],
  [down("project"), down("due"), down("urgency")],
  [up("status"), down("id"), up("title")],
];

const nameOf = (sort: readonly Sort[]) => sort.map(({ key, descending }) => (descending ? `-${key}` : key)).join();

/** Tasks that differ in their times too. */
async function seed(t: Bench): Promise<void> {
  for (const task of TASKS) {
    await t.addOne(task);
    if (TASKS.indexOf(task) % 3 === 0) t.clock?.advance(1000);
  }
  const [first] = (await t.ledger.list({ sort: [up("id")], limit: 1 })).tasks;
  await t.ledger.edit([present(first).id], { owner: "ann" }, ann);
}

const idsOf = (tasks: readonly { readonly id: number }[]) => tasks.map((task) => task.id);

/** Every page of a query, as ids. */
async function pages(t: Bench, query: ListQuery, between?: (page: number) => Promise<unknown>): Promise<number[][]> {
  const found: number[][] = [];
  let after: string | undefined;
  do {
    const page = await t.ledger.list({ ...query, ...(after !== undefined && { after }) });
    expect(page.cut).toBe(page.next !== null);
    found.push(idsOf(page.tasks));
    if (found.length > 100) throw new Error("the pages do not end");
    after = page.next ?? undefined;
    await between?.(found.length);
  } while (after !== undefined);
  return found;
}

/** `list`, page by page: `TaskPage.next` and `ListQuery.after`. */
export function cursorTests(harness: Harness): void {
  const on = onLedger(harness);
  const rejected = (t: Bench, query: ListQuery) => expect(t.ledger.list(query)).rejects.toBeInstanceOf(BadInput);

  describe("pages", () => {
    it(
      "put together are the whole list, in every order, whatever their size",
      on(async (t) => {
        await seed(t);
        for (const sort of ORDERS) {
          const whole = idsOf((await t.ledger.list({ status: [], sort })).tasks);
          expect(new Set(whole).size).toBe(TASKS.length);
          for (const limit of [1, 3, 9]) {
            const found = await pages(t, { status: [], sort, limit });
            expect(found.flat(), `${nameOf(sort)} by ${limit}`).toEqual(whole);
            expect(found.length).toBe(Math.ceil(TASKS.length / limit));
          }
        }
      }),
    );

    it(
      "are the last when nothing was left out",
      on(async (t) => {
        await t.addMany(3);
        const next = async (limit?: number) => (await t.ledger.list({ ...(limit !== undefined && { limit }) })).next;
        expect(await next(3)).toBeNull();
        expect(await next(0)).toBeNull();
        expect(await next()).toBeNull();
        expect(await next(2)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );

    it(
      "after a place without a limit are all the rest, and go with filters and chosen fields",
      on(async (t) => {
        await seed(t);
        const query = { status: ["open"], sort: [down("title")], fields: ["project"] } as const;
        const whole = idsOf((await t.ledger.list(query)).tasks);
        expect(whole.every(Number.isInteger)).toBe(true);
        const { tasks, next } = await t.ledger.list({ ...query, limit: 2 });
        const rest = await t.ledger.list({ ...query, after: present(next) });
        expect([...idsOf(tasks), ...idsOf(rest.tasks)]).toEqual(whole);
        expect(rest).toMatchObject({ cut: false, next: null });
      }),
    );

    it(
      "neither repeat a task nor leave one out when others are added in between, before and after the place",
      on(async (t) => {
        await seed(t);
        for (const sort of [[], [down("title")], [up("due")], [down("id")]]) {
          const before = idsOf((await t.ledger.list({ status: [], sort })).tasks);
          const found = await pages(t, { status: [], sort, limit: 4 }, async (page) => {
            if (page > 2) return;
            await t.addOne({ title: "0 first", priority: 0, due: DUE - 9 });
            await t.addOne({ title: "zz last", priority: 4 });
          });
          const seen = found.flat();
          expect(new Set(seen).size, nameOf(sort)).toBe(seen.length);
          expect(seen.filter((id) => before.includes(id))).toEqual(before);
        }
      }),
    );

    it(
      "go on from the same place when the task there is gone from the list",
      on(async (t) => {
        await seed(t);
        const { tasks, next } = await t.ledger.list({ sort: [up("title")], limit: 3 });
        const [kept, moved, closed] = tasks.map((task) => task.id);
        await t.ledger.setStatus([present(closed)], { verb: "done" }, ann);
        await t.ledger.edit([present(moved)], { title: "zzz moved behind" }, ann);
        const whole = idsOf((await t.ledger.list({ sort: [up("title")] })).tasks);
        const rest = idsOf((await t.ledger.list({ sort: [up("title")], after: present(next) })).tasks);
        expect([kept, ...rest]).toEqual(whole);
        expect(rest).toContain(moved);
      }),
    );
  });

  describe("a place", () => {
    it(
      "of the default order is one of urgency",
      on(async (t) => {
        await seed(t);
        const { next } = await t.ledger.list({ limit: 4 });
        const after = present(next);
        expect(await t.ledger.list({ sort: [up("urgency")], after })).toEqual(await t.ledger.list({ after }));
      }),
    );

    it(
      "of another order is refused",
      on(async (t) => {
        await seed(t);
        const { next } = await t.ledger.list({ sort: [up("title")], limit: 2 });
        const after = present(next);
        for (const sort of [[], [down("title")], [up("project")], [up("title"), up("project")], [up("id")]])
          await rejected(t, { sort, after });
      }),
    );

    it(
      "that no list gave out is refused",
      on(async (t) => {
        await seed(t);
        const { next } = await t.ledger.list({ limit: 2 });
        const after = present(next);
        const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const read = JSON.parse(Buffer.from(after, "base64url").toString());
        const rubbish = ["x", "17", after.slice(0, -3), `${after}!`, ` ${after}`, text({}), text(null), text([])];
        const forged = [
          [...read, 1],
          read.slice(0, -1),
          [...read.slice(0, -1), "1"],
          [...read.slice(0, -1), null],
          [...read.slice(0, -1), 1.5],
          [99, ...read.slice(1)],
        ].map(text);
        for (const wrong of [...rubbish, ...forged]) await rejected(t, { after: wrong });
      }),
    );
  });
}
