import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServedLedger } from "../../../server/src/http/call.ts";
import { type Answer, complaint, type Operation, operationsOf } from "./document.ts";
import { EXAMPLES, exampleOf } from "./examples.ts";
import { type Asked, has, type Part, requests } from "./requests.ts";
import { type Served, served, servedFromPostgres } from "./served.ts";

/** Requests that the API's own document makes, allowed and not, over both stores. `ALAI_FUZZ_RUNS=…` makes more of them. */

const RUNS = Number(process.env.ALAI_FUZZ_RUNS ?? 60);

describe.each([
  ["a file", served],
  ["Postgres", servedFromPostgres],
])("the API over %s, by its own document", (_store, open) => {
  let server: Served<ServedLedger>;
  let operations: Operation[];

  beforeAll(async () => {
    server = await open();
    await server.ledger.add(
      Array.from({ length: 12 }, (_, i) => ({ title: `task ${i}`, tags: i % 2 ? ["a"] : [], priority: (i % 5) as 0 })),
      { actor: "fuzz", session: "s" },
    );
    operations = operationsOf((await server.app.inject("/openapi.json")).json());
  });
  afterAll(() => server?.close());

  async function send(operation: Operation, { path, query, headers, body }: Asked): Promise<Answer> {
    const answer = await server.app.inject({
      method: operation.method as "GET",
      url: query ? `${path}?${query}` : path,
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    const type = String(answer.headers["content-type"]);
    return { status: answer.statusCode, type, body: /[/+]json/.test(type) ? answer.json() : answer.body };
  }

  /** Sends many requests; throws for an answer that is not as the document says. @returns the statuses there were. */
  async function ask(operation: Operation, broken: "nothing" | Part): Promise<ReadonlySet<number>> {
    const statuses = new Set<number>();
    const one = fc.asyncProperty(requests(operation, broken), async (request) => {
      const answer = await send(operation, request);
      statuses.add(answer.status);
      const found = complaint(operation, answer);
      if (found) throw new Error(`${operation.id} ${JSON.stringify(request)}: ${found}`);
      if (broken === "body" && answer.status < 400)
        throw new Error(`${operation.id} took ${JSON.stringify(request.body)}`);
    });
    await fc.assert(one, { numRuns: RUNS });
    return statuses;
  }

  /** Throws for an example that does not succeed. */
  async function succeed(operation: Operation, request: Asked): Promise<number> {
    const answer = await send(operation, request);
    const found = complaint(operation, answer);
    if (!found && isGood(answer.status)) return answer.status;
    throw new Error(`${operation.id} ${JSON.stringify(request)}: ${found ?? JSON.stringify(answer)}`);
  }

  it("documents every operation with an answer for each", () => {
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) expect(Object.keys(operation.responses).some(isGood), operation.id).toBe(true);
  });

  it("answers whatever is allowed as the document says, and does each of it", async () => {
    const never: string[] = [];
    for (const operation of operations) {
      const statuses = new Set(await ask(operation, "nothing"));
      const make = EXAMPLES[operation.id];
      if (make) statuses.add(await succeed(operation, await exampleOf(make, server.ledger)));
      if (![...statuses].some(isGood)) never.push(operation.id);
    }
    expect(never, "operations that never did what was asked").toEqual([]);
  }, 300_000);

  it.each(["body", "query", "path"] as const)(
    "refuses a %s that is not allowed",
    async (part) => {
      for (const operation of operations.filter((one) => has(one, part))) await ask(operation, part);
    },
    300_000,
  );
});

function isGood(status: number | string): boolean {
  return String(status).startsWith("2");
}
