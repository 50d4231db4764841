import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { invalid, type JsonSchema, valid } from "./arbitrary.ts";
import { type Answer, complaint, type Operation, operationsOf } from "./document.ts";
import { type Served, served } from "./served.ts";

const RUNS = Number(process.env.ALAI_FUZZ_RUNS ?? 60);
let server: Served;
let operations: Operation[];

beforeAll(async () => {
  server = await served();
  await server.ledger.add(
    Array.from({ length: 12 }, (_, i) => ({ title: `task ${i}`, tags: i % 2 ? ["a"] : [], priority: (i % 5) as 0 })),
    { actor: "fuzz", session: "s" },
  );
  operations = operationsOf((await server.app.inject("/openapi.json")).json());
});

afterAll(() => server?.close());

interface Request {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Requests to one operation; `broken` names the part that is not what the document allows. */
function requests(operation: Operation, broken: "nothing" | "body" | "query" | "path"): fc.Arbitrary<Request> {
  const pick = (schema: JsonSchema, bad: boolean) => (bad ? invalid(schema) : valid(schema));
  const of = (place: string) => operation.parameters.filter((parameter) => parameter.in === place);
  const record = (place: string, bad: boolean) =>
    fc.record(Object.fromEntries(of(place).map(({ name, schema }) => [name, pick(schema, bad)])), {
      requiredKeys: bad
        ? of(place).map(({ name }) => name)
        : of(place)
            .filter(({ required }) => required)
            .map(({ name }) => name),
      noNullPrototype: true,
    });
  const known = {
    "if-match": fc.constantFrom("*", '"1"', '"2"', '"x"', 'W/"1"', "rubbish"),
    "alai-fence": fc.constantFrom("0", "1", "2"),
  };
  const headers = fc.record(
    {
      "alai-actor": fc.constantFrom("ann", "bob", "j%C3%BCrg"),
      "alai-session": fc.constantFrom("s1", "s2"),
      ...Object.fromEntries(
        of("header")
          .filter(({ name }) => name in known)
          .map(({ name }) => [name, known[name as keyof typeof known]]),
      ),
      ...(of("header").some(({ name }) => name === "idempotency-key") && {
        "idempotency-key": fc.constantFrom("k1", "k2", "k3", "!~"),
      }),
    },
    { requiredKeys: [] },
  );
  return fc
    .record({
      path: record("path", broken === "path"),
      query: record("query", broken === "query"),
      headers,
      body: operation.body ? pick(operation.body, broken === "body") : fc.constant(undefined),
    })
    .map(({ path, query, headers: sent, body }) => ({
      path: operation.path.replaceAll(/\{(\w+)\}/g, (_, name) =>
        encodeURIComponent(text((path as Record<string, unknown>)[name])),
      ),
      query: queryOf(query as Record<string, unknown>),
      headers: sent as Record<string, string>,
      body,
    }));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, text(one)] as [string, string]),
  );
  // A lone surrogate cannot be sent in a URL at all.
  return new URLSearchParams(pairs.filter(([, value]) => value.isWellFormed())).toString();
}

async function send(operation: Operation, { path, query, headers, body }: Request): Promise<Answer> {
  const answer = await server.app.inject({
    method: operation.method as "GET",
    url: query ? `${path}?${query}` : path,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  });
  const type = String(answer.headers["content-type"]);
  return { status: answer.statusCode, type, body: /[/+]json/.test(type) ? answer.json() : answer.body };
}

describe("the API, by its own document", () => {
  it("documents every operation with an answer for each", () => {
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations)
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith("2")),
        operation.id,
      ).toBe(true);
  });

  it("answers whatever is allowed as the document says", async () => {
    for (const operation of operations)
      await fc.assert(
        fc.asyncProperty(requests(operation, "nothing"), async (request) => {
          const answer = await send(operation, request);
          const found = complaint(operation, answer);
          if (found) throw new Error(`${operation.id} ${JSON.stringify(request)}: ${found}`);
        }),
        { numRuns: RUNS },
      );
  }, 300_000);

  it.each(["body", "query", "path"] as const)(
    "refuses a %s that is not allowed",
    async (part) => {
      for (const operation of operations.filter((one) => has(one, part)))
        await fc.assert(
          fc.asyncProperty(requests(operation, part), async (request) => {
            const answer = await send(operation, request);
            const found = complaint(operation, answer);
            if (found) throw new Error(`${operation.id} ${JSON.stringify(request)}: ${found}`);
            if (part === "body" && answer.status < 400)
              throw new Error(`${operation.id} took ${JSON.stringify(request.body)}`);
          }),
          { numRuns: RUNS },
        );
    },
    300_000,
  );
});

function has(operation: Operation, part: "body" | "query" | "path"): boolean {
  return part === "body" ? operation.body !== null : operation.parameters.some((parameter) => parameter.in === part);
}
