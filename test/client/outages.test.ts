import { type AddressInfo, createServer } from "node:net";
import { type Caller, StoreError } from "@alai/core";
import { describe, expect, test } from "vitest";
import { Exit } from "../../src/kit/errors.ts";
import type { HttpLedger } from "../../src/mc/http/ledger.ts";
import { type ConnectOptions, connect, WAYS } from "./connect.ts";
import { answer, bytes, drop, Faulty, hang, json, NO_TASKS, problemAnswer } from "./faulty.ts";
import { quietPort } from "./port.ts";

/** A server that is not there, hangs, hangs up, or is none of ours. */

const ann: Caller = { actor: "ann", session: "s1" };
const ok = json(NO_TASKS);

/** What a call ends with, and how long that took. */
async function failure(call: Promise<unknown>): Promise<{ error: StoreError; ms: number }> {
  const start = performance.now();
  const error = await call.then(
    (value) => new Error(`it answered ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StoreError)) throw error;
  return { error, ms: performance.now() - start };
}

/** On a busy machine; what is waited for here would take far longer, or for ever. */
const SOON = 30_000;
const LONG = 600_000;

describe.each(WAYS)("over $way", ({ make }) => {
  const open = (url: string, options: ConnectOptions = {}): HttpLedger => connect(url, { make, ...options });

  test("nobody listens: asked again for a while, then said, with address and what named it", async () => {
    const url = `http://127.0.0.1:${await quietPort()}`;
    const { error, ms } = await failure(open(url, { timeout: LONG, refused: 400 }).list({}));
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain(`${url} (ALAI_MC_URL)`);
    expect(error.hint).not.toContain("--offline");
    const mirrored = await failure(open(url, { timeout: LONG, refused: 400, hasMirror: () => true }).list({}));
    expect(mirrored.error.hint).toContain("`alai mc list --offline`");
    expect(ms).toBeGreaterThan(300);
    expect(ms).toBeLessThan(SOON);
    const change = await failure(open(url, { timeout: LONG, refused: 400 }).add([{ title: "x" }], ann));
    expect(change.error.hint).not.toContain("not known");
  });

  test("nobody listens yet: found when it comes up", async () => {
    const port = await quietPort();
    const listed = open(`http://127.0.0.1:${port}`).list({});
    await new Promise((resolve) => setTimeout(resolve, 200));
    await using _server = await Faulty.startAt(port, ok);
    expect(await listed).toEqual(NO_TASKS);
  });
});

// Its tests wait for times to be over, so several run at once.
describe.each(WAYS)("over $way", { concurrent: true }, ({ make }) => {
  const open = (url: string, options: ConnectOptions = {}): HttpLedger => connect(url, { make, ...options });

  test("a host that does not exist is said at once", async () => {
    const { error, ms } = await failure(open("https://no-such-host.invalid", { timeout: LONG }).list({}));
    expect(error.message).toContain("no host of that name: https://no-such-host.invalid (ALAI_MC_URL)");
    expect(ms).toBeLessThan(SOON);
  });

  test("a port that does not speak TLS is said at once", async () => {
    const plain = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain.address() as AddressInfo;
    const { error, ms } = await failure(open(`https://127.0.0.1:${port}`, { timeout: LONG }).list({}));
    expect(error.message).toBe(`https://127.0.0.1:${port} (ALAI_MC_URL) does not speak TLS.`);
    expect(error.hint).toContain("http://");
    expect(ms).toBeLessThan(SOON);
    plain.close();
  });

  test("no answer: given up when the time is over, not later; a change may have been made", async () => {
    await using server = await Faulty.start(hang);
    const ledger = open(server.url, { timeout: 2000 });
    const read = await failure(ledger.list({}));
    expect(read.error.message).toContain("did not answer within 2 s");
    expect(read.error.hint).not.toContain("not known");
    expect(read.ms).toBeGreaterThan(1950);
    expect(read.ms).toBeLessThan(SOON);
    const change = await failure(ledger.add([{ title: "x" }], ann));
    expect(change.error.hint).toContain("Whether the change was made is not known");
    expect(server.seen).toHaveLength(2);
  });

  test.each([
    ["of a length", 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"tasks":['],
    ["in chunks", 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"tas\r\n'],
    ["up to the end of the connection", 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"tasks":[]}'],
  ])("a body %s that stops half-way is no answer; the time limit is for the whole of it", async (_name, text) => {
    await using server = await Faulty.start((_request, socket) => socket.write(text));
    const { error, ms } = await failure(open(server.url, { timeout: 400 }).list({}));
    expect(error.message).toContain("did not answer within");
    expect(ms).toBeLessThan(SOON);
  });

  test.each([
    ["hung up at once", drop],
    [
      "a body cut off",
      bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"tasks":['),
    ],
    ["a chunked body cut off", bytes('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"tas\r\n')],
    ["502", answer(502, { "content-type": "text/html" }, "<h1>Bad gateway</h1>")],
    ["503 of a gateway", answer(503, {}, "no healthy upstream")],
    ["504", answer(504, {}, "")],
    ["408", answer(408, {}, "")],
    ["503 of ours", problemAnswer(503, "unavailable", { "retry-after": "0" })],
    ["503, sign-in cannot be checked", problemAnswer(503, "auth_unavailable")],
    ["429", problemAnswer(429, "rate_limited", { "retry-after": "1" })],
  ])("%s, then good: asked again", async (_name, bad) => {
    await using server = await Faulty.start(bad, bad, ok);
    const ledger = open(server.url);
    expect(await ledger.list({})).toEqual(NO_TASKS);
    expect(server.seen).toHaveLength(3);
    ledger.close();
  });

  test("what stays that way is said in the words that fit", async () => {
    const cases = [
      [drop, /^The connection to .* broke/],
      [
        answer(502, { "content-type": "text/html" }, "<h1>Bad gateway</h1>"),
        /answered 502: the server behind it is down/,
      ],
      [problemAnswer(503, "unavailable", { "retry-after": "0" }), /^Detail of unavailable\.$/],
      [problemAnswer(503, "auth_unavailable"), /^Detail of auth_unavailable\.$/],
      [problemAnswer(429, "rate_limited", { "retry-after": "0" }), /too many requests/],
    ] as const;
    for (const [behaviour, words] of cases) {
      await using server = await Faulty.start(behaviour);
      const { error, ms } = await failure(open(server.url, { timeout: 3000 }).list({}));
      expect(error.message).toMatch(words);
      expect(error.code).toBe("unavailable");
      expect(server.seen.length).toBeGreaterThan(1);
      expect(ms).toBeLessThan(SOON);
    }
  });

  test("the last answer counts more than that the time was over", async () => {
    await using server = await Faulty.start(problemAnswer(503, "unavailable", { "retry-after": "0" }), hang);
    const { error } = await failure(open(server.url, { timeout: 3000 }).list({}));
    expect(error.message).toBe("Detail of unavailable.");
  });

  test("a server that asks for more time than there is: said at once", async () => {
    await using server = await Faulty.start(problemAnswer(429, "rate_limited", { "retry-after": "60" }));
    const { error, ms } = await failure(open(server.url, { timeout: 50_000 }).list({}));
    expect(error.hint).toContain("in 60 s");
    expect(ms).toBeLessThan(SOON);
    expect(server.seen).toHaveLength(1);
  });

  test("Retry-After is kept to", async () => {
    await using server = await Faulty.start(problemAnswer(429, "rate_limited", { "retry-after": "1" }), ok);
    const start = performance.now();
    await open(server.url).list({});
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  test.each(["locked", "disk_full", "read_only", "corrupt", "too_new", "unsafe_sqlite"])(
    "a store that is %s is not asked again: the same error as locally",
    async (code) => {
      await using server = await Faulty.start(problemAnswer(503, code, {}, { hint: "Do this." }));
      const { error } = await failure(open(server.url).list({}));
      expect(error).toMatchObject({ code, message: `Detail of ${code}.`, hint: "Do this." });
      expect(server.seen).toHaveLength(1);
    },
  );

  test.each([
    ["HTML", answer(200, { "content-type": "text/html" }, "<html>Welcome</html>"), /is not an alai server/],
    ["HTML, not found", answer(404, { "content-type": "text/html" }, "<html>"), /it answered 404 with text\/html/],
    ["sign-in of a proxy", answer(403, { "content-type": "text/html" }, "<html>"), /it answered 403 with text\/html/],
    ["nothing", answer(204, {}, ""), /is not an alai server/],
    ["JSON of another API", json({ items: [] }), /is not an alai server/],
    ["JSON that is no object", json(null), /is not an alai server/],
    ["JSON cut short", answer(200, { "content-type": "application/json" }, '{"tasks":['), /is not an alai server/],
    ["invalid UTF-8", answer(200, {}, Buffer.from('{"tasks":["\xff\xfe"]}', "latin1")), /is not an alai server/],
    ["an error of another API", json({ error: "no" }, 400), /it answered 400 with application\/json/],
    ["no HTTP", bytes("SSH-2.0-OpenSSH_9.6\r\n\r\n"), /does not speak HTTP|The connection .* broke/],
  ])("something else answers (%s): said, with the address", async (_name, behaviour, words) => {
    await using server = await Faulty.start(behaviour);
    const { error } = await failure(open(server.url, { timeout: 5000 }).list({}));
    expect(error.message).toMatch(words);
    expect(error.message).toContain(server.url);
    expect(error.code).toBe("unavailable");
  });

  test("a redirect is not followed, and the token goes nowhere else", async () => {
    await using elsewhere = await Faulty.start(ok);
    await using server = await Faulty.start(answer(307, { location: `${elsewhere.url}/tasks` }, ""));
    const { error } = await failure(
      open(server.url, { tokens: { get: async () => "secret", renewed: async () => null } }).list({}),
    );
    expect(error.message).toContain(`sends on to ${elsewhere.url}/tasks`);
    expect(elsewhere.seen).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });

  test("an answer without end is cut off, not kept", async () => {
    let sent = 0;
    await using server = await Faulty.start((_request, socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const piece = `10000\r\n${"x".repeat(65_536)}\r\n`;
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) sent += 65_536;
      };
      socket.on("drain", more);
      more();
    });
    const { error } = await failure(open(server.url, { longest: 2 ** 21 }).list({}));
    expect(error.message).toContain("too long");
    expect(sent).toBeLessThan(2 ** 25);
    expect(server.seen).toHaveLength(1);
  });

  test("a bug of the server is exit 70, with the request's id, and not asked again", async () => {
    await using server = await Faulty.start(problemAnswer(500, "bug", {}, { request_id: "r77" }));
    const error = await open(server.url)
      .add([{ title: "x" }], ann)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Exit);
    expect(error).toMatchObject({ exit: 70, message: expect.stringContaining("r77") });
    expect((error as Exit).hint).toContain("not known");
    expect(server.seen).toHaveLength(1);
  });

  test("a call that the server does not know is no usage error", async () => {
    for (const behaviour of [problemAnswer(404, "no_route"), problemAnswer(405, "method_not_allowed")]) {
      await using server = await Faulty.start(behaviour);
      const { error } = await failure(open(server.url).list({}));
      expect(error.message).toContain("does not know this call");
    }
  });

  test("a connection that was kept and is closed meanwhile: asked again on a new one", async () => {
    await using server = await Faulty.start((request, socket) => {
      ok(request, socket);
      setTimeout(() => socket.destroy(), 20);
    }, ok);
    const ledger = open(server.url);
    await ledger.list({});
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await ledger.list({})).toEqual(NO_TASKS);
    ledger.close();
  });
});
