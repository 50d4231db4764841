import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { growth, LINEAR } from "../../kit/growth.ts";
import { rawRequest, type Served, served } from "./served.ts";

let it_: Served;
let port: number;

beforeAll(async () => {
  it_ = await served();
  await it_.ledger.add([{ title: "one" }], { actor: "ann", session: "s1" });
  port = await it_.listen();
});
afterAll(() => it_.close());

/** Status, content type and body of a raw answer. */
function parsed(answer: string) {
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    type: /^content-type: ([^;\r]+)/im.exec(head)?.[1],
    nosniff: /^x-content-type-options: nosniff\r?$/im.test(head),
    kept: !/^cache-control: no-store\r?$/im.test(head),
    problem: body.startsWith("{") ? JSON.parse(body) : null,
  };
}

async function refused(bytes: string | Buffer, statuses: readonly number[]) {
  const answer = parsed(await rawRequest(port, bytes));
  expect(statuses, JSON.stringify(answer)).toContain(answer.status);
  expect(answer).toMatchObject({ type: "application/problem+json", nosniff: true, kept: false });
  expect(answer.problem).toMatchObject({ status: answer.status, code: expect.any(String), detail: expect.any(String) });
  expect(answer.problem.hint, "what to do").toMatch(/\S/);
  const { statusCode } = await it_.app.inject("/stats");
  expect(statusCode, "the server goes on").toBe(200);
}

const get = (path: string, headers = "") =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`;
function post(path: string, body: string | Buffer, headers = "Content-Type: application/json\r\n", method = "POST") {
  const bytes = Buffer.from(body);
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

describe("paths and queries", () => {
  it.each([
    "/tasks/0",
    "/tasks/-1",
    "/tasks/1.5",
    "/tasks/1e3",
    "/tasks/0x10",
    "/tasks/%201",
    "/tasks/99999999999999999999",
    "/tasks/null",
    "/tasks/undefined",
    "/tasks/1,2",
    "/tasks/%00",
    "/tasks?limit=-1",
    "/tasks?limit=1e3",
    "/tasks?limit=",
    "/tasks?limit=1&limit=2",
    "/tasks?strange=1",
    "/tasks?__proto__=1",
    "/tasks?after=%00",
    "/tasks?after=AAAA",
    "/tasks?after=eyJzb3J0IjpbXX0",
    `/tasks?after=${"A".repeat(8193)}`,
    "/tasks?held=maybe",
    "/tasks?sort=titel",
    "/tasks?fields=password",
    "/events?after=-1",
    "/events?after=9007199254740993",
    "/events?wait=100000",
  ])("%s is a bad request", (path) => refused(get(path), [400]));

  it.each(["/", "/nothing", "/tasks/1/nothing", "/tasks//lease", "/tasks/..%2f..%2fetc", `/tasks/${"1".repeat(300)}`])(
    "%s is nowhere",
    (path) => refused(get(path), [400, 404, 414]),
  );

  it("a percent sign that encodes nothing is a bad request", () => refused(get("/tasks/%zz"), [400]));

  it.each([
    ["DELETE", "/tasks", "GET, HEAD, POST"],
    ["POST", "/tasks/1", "GET, HEAD, PATCH"],
    ["DELETE", "/tasks/next", "GET, HEAD"],
    ["PUT", "/tasks/next/lease", "POST"],
    ["TRACE", "/stats", "GET, HEAD"],
    ["QUERY", "/tasks", "GET, HEAD, POST"],
    ["OPTIONS", "/tasks/1/lease", "GET, HEAD, PUT, PATCH, DELETE"],
  ])("%s %s is not allowed, and told what is", async (method, path, allow) => {
    const answer = await rawRequest(port, `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(parsed(answer)).toMatchObject({
      status: 405,
      nosniff: true,
      kept: false,
      problem: { code: "method_not_allowed", hint: expect.stringMatching(/\S/) },
    });
    const told = /^allow: (.*)\r$/im.exec(answer)?.[1]?.split(", ").sort();
    expect(told).toEqual(allow.split(", ").sort());
  });
});

describe("bodies", () => {
  it("of 2 MB is too large", () =>
    refused(post("/tasks", JSON.stringify({ title: "x", description: "y".repeat(2e6) })), [413]));
  it("that says it is huge and never comes is refused at once", () =>
    refused(
      "POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 5000000000\r\n\r\n",
      [413],
    ));
  it("in chunks beyond the limit is too large", () => {
    const chunk = `10000\r\n${"x".repeat(65536)}\r\n`;
    return refused(
      `POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`,
      [413],
    );
  });
  it.each(["[", "{", '[{"a":'])("nested a hundred thousand times (%s) is a bad request", (piece) =>
    refused(post("/tasks", piece.repeat(100_000)), [400]),
  );
  it("nested deep but well-formed is a bad request", () =>
    refused(post("/tasks", `${"[".repeat(200_000)}${"]".repeat(200_000)}`), [400]));
  it.each([
    ["not JSON", "{title:1}"],
    ["cut off", '{"title":"x"'],
    ["followed by more", '{"title":"x"}{}'],
    ["no object", '"x"'],
    ["null", "null"],
    ["an array", "[]"],
    ["missing", ""],
    ["an unknown field", '{"title":"x","titel":"y"}'],
    ["a prototype", '{"title":"x","__proto__":{"a":1}}'],
    ["a constructor", '{"title":"x","constructor":{"prototype":{}}}'],
    ["a number as text", '{"title":"x","parent":"1"}'],
    ["text as a number", '{"title":7}'],
    ["an empty title", '{"title":" "}'],
    ["NUL", '{"title":"a\\u0000b"}'],
    ["half a character", '{"title":"a\\ud800b"}'],
    ["a huge number", '{"title":"x","parent":1e400}'],
    ["a fraction", '{"title":"x","due":1.5}'],
    ["a thousand tags", JSON.stringify({ title: "x", tags: Array(1000).fill("t") })],
  ])("%s is a bad request", (_name, body) => refused(post("/tasks", body), [400]));
  it("that is not UTF-8 is a bad request", () =>
    refused(post("/tasks", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), [400]));
  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x"])(
    "as %s is not supported",
    (type) => refused(post("/tasks", '{"title":"x"}', `Content-Type: ${type}\r\n`), [415]),
  );
  it("without a type is not supported", () => refused(post("/tasks", '{"title":"x"}', ""), [415]));
});

describe("texts as long as they may be", () => {
  /** Every text of a schema at its longest, with a NUL at the very end: a pattern that goes back over it would take minutes. */
  it.each([
    ["POST", "/tasks", (long: string) => ({ title: long.slice(-1024) })],
    ["POST", "/tasks", (long: string) => ({ title: "x", description: long })],
    ["POST", "/tasks", (long: string) => ({ title: long })],
    ["POST", "/tasks/1/notes", (long: string) => ({ text: long.slice(-100_000) })],
    ["POST", "/import", (long: string) => ({ lines: [{ title: "x", notes: [long.slice(-100_000)] }] })],
  ] as const)("%s %s is refused in time that grows with the length and no faster", async (method, url, body) => {
    const refuse = async (size: number) => {
      const payload = JSON.stringify(body(`${"a".repeat(size)}\u0000`));
      const headers = { "content-type": "application/json" };
      expect((await it_.app.inject({ method, url, payload, headers })).statusCode).toBe(400);
    };
    expect(await growth(refuse, 900_000)).toBeLessThan(LINEAR);
  });
});

describe("events", () => {
  it("after a number that this ledger never had are gone, not none", async () => {
    const { events } = await it_.ledger.stats();
    for (const query of [`after=${events + 50}`, `after=${events + 50}&wait=1`])
      expect((await it_.app.inject(`/events?${query}`)).statusCode, query).toBe(410);
    expect((await it_.app.inject(`/events?after=${events}`)).json()).toEqual({ events: [] });
  });
});

describe("headers", () => {
  it.each([
    ["two lengths", "POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
    [
      "length and chunks",
      "POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["an obscured encoding", "POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a space before the colon", "GET /stats HTTP/1.1\r\nHost : x\r\n\r\n"],
    ["a bare line feed in a value", "GET /stats HTTP/1.1\r\nHost: x\r\nX-A: b\nX-B: c\u0000\r\n\r\n"],
    ["no HTTP at all", "hello\r\n\r\n"],
    ["two hosts", "GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"],
    ["no host", "GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["a negative length", "POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
  ])("%s is a bad request", (_name, bytes) => refused(bytes, [400]));
  it.each([
    ["a packed body", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"],
    ["another charset", "Content-Type: application/json; charset=utf-16\r\n"],
  ])("%s is not supported", (_name, header) => refused(post("/tasks", '{"title":"x"}', header), [415]));
  it("an expectation that cannot be met is refused", () =>
    refused(post("/tasks", '{"title":"x"}', "Content-Type: application/json\r\nExpect: 200-ok\r\n"), [417]));
  it("of 64 KB are too large", () => refused(get("/stats", `X-Long: ${"a".repeat(65_536)}\r\n`), [431]));
  it.each([
    ["an actor with a colon", "Alai-Actor: a%3Ab\r\n"],
    ["an actor that is not encoded", "Alai-Actor: %zz\r\n"],
    ["an empty session", "Alai-Session: \r\n"],
    ["two fences", "Alai-Fence: 1, 2\r\n"],
    ["a fence that is none", "Alai-Fence: x\r\n"],
  ])("%s is a bad request", (_name, header) =>
    refused(post("/tasks/1/lease", "{}", `Content-Type: application/json\r\n${header}`, "PUT"), [400]),
  );
  it("from elsewhere are kept out of a server without sign-in, and no token is asked for", async () => {
    for (const header of ["Host: evil.example", "Host: 127.0.0.1\r\nOrigin: https://evil.example"]) {
      const answer = await rawRequest(port, `GET /stats HTTP/1.1\r\n${header}\r\nConnection: close\r\n\r\n`);
      expect(parsed(answer)).toMatchObject({ status: 403, problem: { code: "local_only", hint: expect.any(String) } });
      expect(answer).not.toMatch(/www-authenticate/i);
    }
  });
  it.each([
    ["missing", "", 428],
    ["another version", 'If-Match: "99"\r\n', 412],
    ["weak", 'If-Match: W/"1"\r\n', 412],
    ["no tag", "If-Match: 1\r\n", 400],
  ])("If-Match %s", (_name, header, status) =>
    refused(post("/tasks/1", '{"title":"y"}', `Content-Type: application/json\r\n${header}`, "PATCH"), [status]),
  );
});
