import { get, type IncomingMessage } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { invalid, valid } from "./arbitrary.ts";
import { complaint, type Document, type Operation, operationOf, operationsOf } from "./document.ts";
import { type Served, served } from "./served.ts";

/** The two streams without an end, by the document: what they answer before they begin, and that nobody waits for them unasked. */

interface WithItems extends Document {
  readonly components: { readonly pathItems: Readonly<Record<string, { "x-path": string; get: never }>> };
}

let server: Served;
let port: number;
let document: WithItems;

beforeAll(async () => {
  server = await served();
  await server.ledger.add([{ title: "one" }, { title: "two" }], { actor: "ann", session: "s" });
  port = await server.listen();
  document = (await server.app.inject("/openapi.json")).json();
});
afterAll(() => server?.close());

const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

/** The head of the answer, and its body where it has an end. */
function ask(path: string, headers: Record<string, string>): Promise<{ status: number; type: string; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: "127.0.0.1", path, headers, agent: false });
    const done = (response: IncomingMessage, text = "") => {
      const { statusCode: status = 0, headers: said } = response;
      const type = String(said["content-type"]);
      resolve({ status, type, body: /[/+]json/.test(type) ? JSON.parse(text) : text });
      request.destroy();
    };
    request.on("error", reject);
    request.on("upgrade", (response) => done(response));
    request.on("response", (response) => {
      if (response.headers["content-type"]?.startsWith("text/event-stream")) return done(response);
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => done(response, text));
    });
  });
}

function operationNamed(name: string): Operation {
  const item = document.components.pathItems[name];
  if (!item) throw new Error(`${name} is not documented`);
  return operationOf(item["x-path"], "get", item.get);
}

describe.each([
  ["eventStream", {}, 200],
  ["eventSocket", HANDSHAKE, 101],
  ["eventSocket", {}, 426],
] as const)("%s with %j", (name, handshake, begins) => {
  const operation = () => operationNamed(name);
  const of = (place: string, make: typeof valid) =>
    fc.record(
      Object.fromEntries(
        operation()
          .parameters.filter((parameter) => parameter.in === place)
          .map((parameter) => [parameter.name, make(parameter.schema)]),
      ),
      { requiredKeys: [], noNullPrototype: true },
    );

  it.each([
    ["is allowed", valid, valid],
    ["has a query that is not", invalid, valid],
    ["has a header that is not", valid, invalid],
  ] as const)("answers what %s as the document says", async (_what, query, header) => {
    const found = new Set<number>();
    await fc.assert(
      fc.asyncProperty(of("query", query), of("header", header), async (asked, sent) => {
        const pairs = Object.entries(asked).map(([key, value]) => [key, String(value)]);
        const headers = Object.fromEntries(
          Object.entries(sent).map(([key, value]) => [key, encodeURIComponent(String(value))]),
        );
        const answer = await ask(`${operation().path}?${new URLSearchParams(pairs)}`, { ...handshake, ...headers });
        found.add(answer.status);
        const wrong = answer.status === 101 ? null : complaint(operation(), answer);
        if (wrong) throw new Error(`${JSON.stringify([asked, sent])}: ${wrong}`);
      }),
      { numRuns: 60 },
    );
    if (query === valid && header === valid) expect(found).toContain(begins);
    expect([...found].filter((status) => !operation().responses[status])).toEqual([]);
  });
});

it.each([
  ["a key that is too short", { "sec-websocket-key": "short" }],
  ["a version that is not spoken", { "sec-websocket-version": "7" }],
])("answers a handshake with %s by 400", async (_what, broken) => {
  const operation = operationNamed("eventSocket");
  const answer = await ask(operation.path, { ...HANDSHAKE, ...broken });
  expect(answer).toMatchObject({ status: 400, type: "application/problem+json; charset=utf-8" });
  expect(answer.body).toMatchObject({
    status: 400,
    code: "bad_request",
    detail: expect.stringContaining("Sec-WebSocket"),
  });
  expect(complaint(operation, answer)).toBeNull();
});

it("no path of the document keeps who asks it waiting", async () => {
  for (const operation of operationsOf(document).filter(({ method }) => method === "GET")) {
    const path = operation.path.replace("{id}", "1");
    const answer = await ask(path, {});
    expect(operation.responses[answer.status], path).toBeDefined();
  }
}, 5000);

it("every route is in the document", () => {
  const paths = [
    ...Object.keys(document.paths),
    ...Object.values(document.components.pathItems).map((item) => item["x-path"]),
  ];
  expect([...server.paths].map((path) => path.replace(":id", "{id}")).sort()).toEqual(paths.sort());
});
