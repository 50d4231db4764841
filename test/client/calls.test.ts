import type { Caller, Refusal, Transferable } from "@alai/core";
import { Refusal as RefusalError } from "@alai/core";
import { problemOf } from "@alai/core/wire/problem";
import { ROUTES, type Route, STREAMS } from "@alai/core/wire/routes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HttpLedger } from "../../src/mc/http/ledger.ts";
import { folder } from "../core/folder.ts";
import { connect } from "./connect.ts";
import { answer, Faulty, forward, json, NO_TASKS, type Raw } from "./faulty.ts";
import { type Served, serve } from "./served.ts";

/** What is sent: routes, headers, queries, bodies. */

const ann: Caller = { actor: "ann", session: "s1" };
const MINUTE = 60_000;

/** Each verb on one task and on several, in an order in which all succeed, and the one route it must take. */
const VERBS: readonly (readonly [route: string, call: (ledger: HttpLedger) => Promise<unknown>])[] = [
  ["addTask", (l) => l.add([{ title: "1" }], ann)],
  ["batch", (l) => l.add([{ title: "2" }, { title: "3" }], ann)],
  ["listTasks", (l) => l.list({})],
  ["getTask", (l) => l.get([1])],
  ["batch", (l) => l.get([1, 2])],
  ["editTask", (l) => l.edit([1], { title: "x" }, ann)],
  ["batch", (l) => l.edit([1, 2], { title: "y" }, ann)],
  ["note", (l) => l.note([1], "n", ann)],
  ["batch", (l) => l.note([1, 2], "n", ann)],
  ["setStatus", (l) => l.setStatus([1], { verb: "paused" }, ann)],
  ["batch", (l) => l.setStatus([1, 2], { verb: "reopened" }, ann)],
  ["setBlockers", (l) => l.addDependency(3, [1], ann)],
  ["setBlockers", (l) => l.removeDependency(3, [1], ann)],
  ["nextTask", (l) => l.next({}, ann, null)],
  ["claimNext", (l) => l.next({}, ann, { ttl: MINUTE })],
  ["claim", (l) => l.claim([1], ann, MINUTE)],
  ["batch", (l) => l.claim([1, 2], ann, MINUTE)],
  ["extend", (l) => l.extend([1], ann)],
  ["batch", (l) => l.extend([1, 2], ann, 2 * MINUTE)],
  ["leaseStatus", (l) => l.leaseStatus([1], ann)],
  ["batch", (l) => l.leaseStatus([1, 2], ann)],
  ["approve", (l) => l.approve([1], "r", MINUTE, ann)],
  ["batch", (l) => l.approve([1, 2], "r", MINUTE, ann)],
  ["approvals", (l) => l.approvals(1)],
  ["release", (l) => l.release([1], ann)],
  ["batch", (l) => l.release([1, 2], ann)],
  ["sweep", (l) => l.sweep(ann, true)],
  ["events", (l) => l.events({})],
  ["undo", (l) => l.undo(null, ann)],
  ["prune", (l) => l.prune(0, ann)],
  ["importTasks", (l) => l.import([{ title: "old" }], ann)],
  ["whoAmI", (l) => l.whoAmI()],
  ["stats", (l) => l.stats()],
  ["dumpHead", (l) => l.dumpHead()],
  ["restore", async (l) => l.restore(await head(l), [])],
];

let temp: ReturnType<typeof folder>;
let served: Served;
let between: Faulty;

async function head(ledger: Transferable) {
  const found = await ledger.dumpHead();
  between.seen.pop();
  return found;
}

beforeAll(async () => {
  temp = folder();
  served = await serve(temp.file("ledger.db"));
  between = await Faulty.start(forward(served.url));
});

afterAll(async () => {
  await between[Symbol.asyncDispose]();
  await served.close();
  temp.remove();
});

function routeOf({ method, path }: Raw): string | undefined {
  const fits = (route: Route) => {
    const pattern = new RegExp(`^${route.path.replaceAll(/:\w+/g, "\\d+")}$`);
    return route.method === method && pattern.test(path.split("?")[0] ?? "");
  };
  return Object.entries(ROUTES).find(([, route]) => fits(route))?.[0];
}

describe("each verb is one request", () => {
  test("to its own route, with a key where the route takes one", async () => {
    const ledger = connect(between.url);
    for (const [route, call] of VERBS) {
      between.seen.length = 0;
      await call(ledger);
      expect(between.seen.map(routeOf), call.toString()).toEqual([route]);
      const [request] = between.seen;
      const spec: Route = ROUTES[route as keyof typeof ROUTES];
      const reads = spec.method === "GET" || /"verb":"(get|lease)"/.test(request?.body ?? "");
      const keyed = spec.keyed === true && !reads;
      expect([route, "idempotency-key" in (request?.headers ?? {})]).toEqual([route, keyed]);
    }
    expect(new Set(VERBS.map(([route]) => route))).toEqual(new Set(Object.keys(ROUTES)));
    between.seen.length = 0;
    for await (const _row of ledger.dump());
    expect(between.seen.map(({ path }) => path)).toEqual([STREAMS.dump.path]);
    ledger.close();
  });

  test("nothing is asked about no tasks", async () => {
    const ledger = connect("http://127.0.0.1:9");
    expect(await ledger.get([])).toEqual([]);
    expect(await ledger.claim([], ann, MINUTE)).toEqual([]);
    expect(await ledger.add([], ann)).toEqual([]);
  });
});

/** What one call sends. */
async function sent(call: (ledger: ReturnType<typeof connect>) => Promise<unknown>, reply: unknown): Promise<Raw> {
  await using server = await Faulty.start(json(reply));
  const ledger = connect(server.url, { headers: { "user-agent": "alai/1" } });
  await call(ledger);
  ledger.close();
  const [request] = server.seen;
  if (!request) throw new Error("nothing was sent");
  return request;
}

describe("headers", () => {
  test("say who asks, percent-encoded, and under which fence", async () => {
    const caller: Caller = { actor: "zoë", session: "laptop/1 日本", fence: 7 };
    const { headers } = await sent((ledger) => ledger.claim([5], caller, MINUTE), { fence: 8 });
    expect(headers).toMatchObject({
      "alai-actor": "zo%C3%AB",
      "alai-session": "laptop%2F1%20%E6%97%A5%E6%9C%AC",
      "alai-fence": "7",
      "content-type": "application/json",
      "user-agent": "alai/1",
    });
    expect(headers).not.toHaveProperty("alai-lease-enforce");
    expect(headers).not.toHaveProperty("authorization");
  });

  test("If-Match is the version, or any", async () => {
    const reply = { version: 4 };
    expect((await sent((l) => l.edit([1], { title: "x" }, ann, 3), reply)).headers["if-match"]).toBe('"3"');
    expect((await sent((l) => l.edit([1], { title: "x" }, ann), reply)).headers["if-match"]).toBe("*");
    expect((await sent((l) => l.note([1], "x", ann), { seq: 1 })).headers).not.toHaveProperty("if-match");
  });

  test("a caller's own request key is sent, and it is told of a kept answer", async () => {
    let told = 0;
    const replayed = () => {
      told += 1;
    };
    const caller: Caller = { ...ann, request: { key: "my-key", fingerprint: "f", replayed } };
    const event = JSON.stringify({ seq: 1 });
    await using server = await Faulty.start(
      answer(201, { "content-type": "application/json" }, event),
      answer(201, { "content-type": "application/json", "idempotent-replayed": "true" }, event),
    );
    const ledger = connect(server.url);
    await ledger.note([1], "x", caller);
    expect(told).toBe(0);
    await ledger.note([1], "x", caller);
    expect(told).toBe(1);
    expect(server.seen.map(({ headers }) => headers["idempotency-key"])).toEqual(["my-key", "my-key"]);
    ledger.close();
  });

  test("where enforcement is off the server is told, and the refusals it passed over come back as they were", async () => {
    const refusal = new RefusalError("held", "Task 5 held by böb:s2", {
      taskId: 5,
      hint: "Wait.",
      lease: { holder: "böb:s2", until: 1e12, secondsLeft: 3, fence: 4 },
    });
    const header = encodeURIComponent(JSON.stringify([problemOf(refusal)]));
    await using server = await Faulty.start(json({ version: 2 }, 200, { "alai-passed-over": header }));
    const told: Refusal[] = [];
    const ledger = connect(server.url);
    await ledger.edit([5], { title: "x" }, { ...ann, unenforced: (one) => told.push(one) });
    expect(server.seen[0]?.headers["alai-lease-enforce"]).toBe("0");
    expect(told).toEqual([refusal]);
    expect(told[0]).toMatchObject({
      code: "held",
      message: refusal.message,
      hint: "Wait.",
      taskId: 5,
      lease: refusal.lease,
    });
    ledger.close();
  });
});

describe("queries", () => {
  const path = async (call: Parameters<typeof sent>[0], reply: unknown = NO_TASKS) =>
    decodeURIComponent((await sent(call, reply)).path);

  test("no limit is all, and only the fields that are wanted come", async () => {
    expect(await path((l) => l.list({}))).toBe("/tasks?limit=0");
    expect(await path((l) => l.list({ limit: 50, fields: ["id", "title"] }))).toBe(
      "/tasks?limit=50&fields=id&fields=title",
    );
  });

  test("every filter, order and place", async () => {
    const query = {
      status: ["open", "done"],
      project: ["a&b"],
      tags: ["x", "y"],
      priority: [0, 4],
      text: ["50% +"],
      parent: 3,
      heldBy: "ann:s1",
      held: true,
      free: false,
      dueBefore: 1e12,
      sort: [
        { key: "due", descending: true },
        { key: "id", descending: false },
      ],
      after: "place",
    } as const;
    const url = new URL(`http://x${(await sent((l) => l.list(query), NO_TASKS)).path}`);
    expect(url.searchParams.getAll("status")).toEqual(["open", "done"]);
    expect(url.searchParams.getAll("sort")).toEqual(["-due", "id"]);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      project: "a&b",
      priority: "4",
      text: "50% +",
      parent: "3",
      heldBy: "ann:s1",
      held: "true",
      free: "false",
      dueBefore: "1000000000000",
      after: "place",
      limit: "0",
    });
  });

  test("any status", async () => {
    expect(await path((l) => l.list({ status: [] }))).toBe("/tasks?all=true&limit=0");
    expect(await path((l) => l.next({ status: [], project: ["p"] }, ann, null), { task: {} })).toBe(
      "/tasks/next?project=p&all=true",
    );
  });
});

test("stats names the server and what it serves", async () => {
  await using server = await Faulty.start(json({ store: "postgres://db/alai", kind: "postgres" }));
  const ledger = connect(server.url);
  expect(await ledger.stats()).toEqual({ store: `${server.url} (postgres://db/alai)`, kind: "postgres" });
  ledger.close();
});
