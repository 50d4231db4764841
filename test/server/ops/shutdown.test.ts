import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { gracefulShutdown, InFlight, Readiness } from "../../../server/src/ops/index.ts";
import { folder } from "../../core/folder.ts";
import { openFeed, openLedger, until } from "../streams/bench.ts";
import { asking, HANDSHAKE, halfOpen } from "../streams/half-open.ts";
import { SseClient } from "../streams/sse-client.ts";
import { keptLogs, observedApp } from "./app.ts";

const FIXTURE = new URL("./fixtures/stopping.ts", import.meta.url).pathname;

interface Running {
  readonly port: number;
  readonly child: ChildProcess;
  /** The log, line by line, so far. */
  lines(): { message: string; [field: string]: unknown }[];
  /** Exit code and milliseconds since `signal`. */
  ended: Promise<{ code: number | null; ms: number }>;
  signal(): void;
  /** Resolves when so many requests are under way. */
  underWay(count: number): Promise<void>;
}

/** Far longer than a test may take: a stop that ends sooner did not wait for it. */
const LONG = 600_000;
/** For what takes a moment, on a busy machine. */
const SOON = 30_000;

async function start(limitMs = LONG): Promise<Running> {
  const place = folder();
  const child = spawn(process.execPath, [FIXTURE, place.file("mc.db"), String(limitMs)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    place.remove();
  });
  let log = "";
  let signalled = 0;
  child.stderr.setEncoding("utf8").on("data", (data: string) => {
    log += data;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ms: Date.now() - signalled }));
  const [port] = await once(child.stdout.setEncoding("utf8"), "data");
  return {
    port: Number(port),
    child,
    lines: () =>
      log
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ended,
    signal() {
      signalled ||= Date.now();
      child.kill("SIGTERM");
    },
    // The question itself is one of them.
    underWay: (count) =>
      until(
        async () => (await ask(Number(port), "/in-flight")).includes(`{"open":${count + 1}}`),
        `${count} under way`,
      ),
  };
}

/** Sends a request, its body in pieces when given `end`, the last when that resolves. Resolves to status and headers, or to what went wrong. */
function ask(port: number, path: string, { agent, end }: { agent?: Agent; end?: Promise<void> } = {}): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({
      ...{ host: "127.0.0.1", port, path, method: end === undefined ? "GET" : "POST" },
      ...(agent && { agent }),
      ...(end !== undefined && { headers: { "content-type": "application/json" } }),
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.on("response", async (response: IncomingMessage) => {
      const body = await text(response).catch(() => "cut");
      resolve(`${response.statusCode} ${response.headers.connection} ${body}`);
    });
    void upload(sent, end);
  });
}

async function upload(sent: ReturnType<typeof request>, end: Promise<void> | undefined): Promise<void> {
  if (end === undefined) return void sent.end();
  sent.write('{"text":"');
  for (let i = 0; i < 10 && !sent.destroyed; i += 1) {
    if (i === 9) await end;
    else await sleep(10);
    sent.write("x".repeat(100));
  }
  sent.end('"}');
}

describe("a stop under load", () => {
  it("answers every request that was accepted, ends streams with a hint, and exits with 0", async () => {
    const { port, child, lines, ended, signal, underWay } = await start();
    const agent = new Agent({ keepAlive: true });
    let goOn = () => {};
    const end = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const running = [
      ...Array.from({ length: 20 }, () => ask(port, "/held", { agent })),
      ...Array.from({ length: 30 }, () => ask(port, "/upload", { agent, end })),
    ];
    await underWay(50);
    // Clients that ask again and again on one connection each, until it is closed.
    const answers: string[] = [];
    const loops = Array.from({ length: 8 }, async () => {
      const own = new Agent({ keepAlive: true, maxSockets: 1 });
      for (;;) {
        const answer = await ask(port, "/slow/5", { agent: own });
        answers.push(answer);
        if (!answer.startsWith("200 keep-alive")) return;
      }
    });
    const streams = Array.from({ length: 5 }, () => new SseClient(port, "/events/stream"));
    const sockets = Array.from({ length: 3 }, () => new WebSocket(`ws://127.0.0.1:${port}/events/ws`));
    const closes = sockets.map((socket) => once(socket, "close"));
    await until(() => streams.every(({ response }) => response), "streams are open");
    await until(() => sockets.every(({ readyState }) => readyState === WebSocket.OPEN), "sockets are open");
    await until(() => answers.length > 16, "they were answered");
    signal();
    await until(async () => (await ask(port, "/healthz")) === "ECONNREFUSED", "it takes no more");
    expect(streams.map(({ ended: over }) => over)).toEqual(streams.map(() => false));
    goOn();
    child.kill("SIGUSR2");
    const results = await Promise.all(running);
    expect(results.filter((result) => result.startsWith('200 close {"slow":true}'))).toHaveLength(20);
    expect(results.filter((result) => result.startsWith('200 close {"size":1011}'))).toHaveLength(30);
    await Promise.all(loops);
    // Each of them had an answer, the last one with the word to close.
    expect(answers.filter((answer) => !answer.startsWith("200"))).toEqual([]);
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON);
    for (const stream of streams) {
      expect(stream.messages).toEqual([{ id: undefined, event: "bye", data: '{"retry_ms":2000}' }]);
      expect(stream.retry).toBe(2000);
    }
    expect((await Promise.all(closes)).map(([closed]) => closed)).toEqual([1001, 1001, 1001]);
    const messages = lines().map(({ message }) => message);
    expect(messages.slice(-2)).toEqual(["store closed", "stopped"]);
    // No line was lost on the way out either.
    const routes = lines().flatMap(({ message, route }) =>
      message === "request" && route !== "/in-flight" ? [route] : [],
    );
    expect(routes).toHaveLength(50 + answers.length + 8);
  });

  it("cuts what does not finish in time; an upload that never came is told that nothing was done", async () => {
    const { port, lines, ended, signal, underWay } = await start(800);
    const never = ask(port, "/never");
    const slow = ask(port, "/upload", { end: new Promise(() => {}) });
    const silent = connect(port, "127.0.0.1");
    const half = connect(port, "127.0.0.1", () => half.write("GET /slow/5 HTTP/1.1\r\nHost:"));
    for (const socket of [silent, half]) socket.on("error", () => {});
    await underWay(2);
    signal();
    const { code, ms } = await ended;
    expect(await never).toBe("ECONNRESET");
    expect(await slow).toMatch(/^503 close \{.*"code":"unavailable"/);
    expect(code).toBe(0);
    expect(ms).toBeGreaterThan(700);
    // By themselves they would never end.
    expect(ms).toBeLessThan(SOON);
    expect(lines().find(({ message }) => message.startsWith("cutting"))).toMatchObject({ level: "warn", in_flight: 2 });
  });

  it("cuts at once at the second signal", async () => {
    const { port, ended, signal, underWay } = await start();
    const never = ask(port, "/never");
    await underWay(1);
    signal();
    await until(async () => (await ask(port, "/healthz")) === "ECONNREFUSED", "the first was heard");
    signal();
    const { code, ms } = await ended;
    expect([code, await never]).toEqual([0, "ECONNRESET"]);
    expect(ms).toBeLessThan(SOON);
  });

  it("waits for no client that never closes its side", async () => {
    const { port, lines, ended, signal, underWay } = await start(800);
    const connections = () => ask(port, "/connections");
    const before = await connections();
    // Refused; none; one whose answer never comes; let in, and silent at the close.
    const refused = ["/nowhere", "/events/ws?after=7", "/healthz"].map((path) =>
      halfOpen(port, asking(path, HANDSHAKE)),
    );
    for (let i = 0; i < 30; i += 1) refused.push(halfOpen(port, asking("/events/ws")));
    await Promise.all(refused.map(({ said }) => said));
    await until(async () => (await connections()) === before, "none of them is kept");
    halfOpen(port, asking("/never", HANDSHAKE));
    const silent = halfOpen(port, asking("/events/ws", HANDSHAKE));
    await once(silent.socket, "data");
    await underWay(1);
    signal();
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON);
    expect(
      lines()
        .slice(-2)
        .map(({ message }) => message),
    ).toEqual(["store closed", "stopped"]);
    const statuses = lines().flatMap(({ route, status }) => (route === "/events/ws" ? [status] : []));
    expect(statuses.toSorted()).toEqual([101, ...Array(30).fill(400), 410]);
  });

  it("is quick when nothing runs", async () => {
    const { port, ended, signal } = await start();
    expect(await ask(port, "/healthz", { agent: new Agent({ keepAlive: false }) })).toContain("200");
    signal();
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON);
  });
});

describe("the parts of a stop", () => {
  async function parts(close: () => void) {
    const { ledger } = await openLedger();
    const feed = openFeed(ledger);
    const readiness = new Readiness({ ledger });
    const inFlight = new InFlight();
    const { app } = await observedApp({ observers: [inFlight.observer] });
    const { logs, lines } = keptLogs();
    const after: string[] = [];
    const shutdown = gracefulShutdown({
      ...{ app, feed, readiness, inFlight, logger: logs.logger, ledger: { close } },
      after: [() => after.push("one"), () => Promise.reject(new Error("no")), () => after.push("two")],
    });
    return { shutdown, readiness, after, lines };
  }

  it("are done once, however often it is begun", async () => {
    let closed = 0;
    const { shutdown, readiness, after } = await parts(() => {
      closed += 1;
    });
    await Promise.all([shutdown.begin("a"), shutdown.begin("b")]);
    await shutdown.begin("c");
    expect([closed, readiness.draining, after]).toEqual([1, true, ["one", "two"]]);
  });

  it("are all done, also when one cannot be", async () => {
    const { shutdown, after, lines } = await parts(() => {
      throw new Error("busy");
    });
    await shutdown.begin("a");
    expect(after).toEqual(["one", "two"]);
    expect(lines().filter(({ message }) => message === "could not be closed")).toHaveLength(2);
  });

  it("count a request from its head to its answer's end", async () => {
    const inFlight = new InFlight();
    const { app } = await observedApp({ observers: [inFlight.observer] }, (made) => {
      made.get("/now", async () => ({ open: inFlight.size }));
      made.get("/stream", { config: { stream: true } }, async () => ({ open: inFlight.size }));
    });
    expect((await app.inject({ url: "/now" })).json()).toEqual({ open: 1 });
    expect((await app.inject({ url: "/stream" })).json()).toEqual({ open: 0 });
    await inFlight.none();
    expect(inFlight.size).toBe(0);
  });
});
