import { execFile } from "node:child_process";
import { request as httpRequest } from "node:http";
import { promisify } from "node:util";
import { StoreError } from "@alai/core";
import { describe, expect, it } from "vitest";
import { createLogs, LOG_LEVELS, readLogLevel } from "../../../server/src/ops/index.ts";
import { folder } from "../../core/folder.ts";
import { until } from "../streams/bench.ts";
import { keptLogs, type Line, listen, observedApp } from "./app.ts";

const FIELDS = ["timestamp", "level", "service", "version", "trace_id", "request_id", "message", "duration_ms"];

const CANARY = {
  mail: "canary.person@example.com",
  jwt: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ",
  service: "alai_st_canaryCANARYcanary0",
  bearer: "Bearer canary-0paque",
  address: "203.0.113.199",
};
const LEAKS = ["canary", "CANARY", "Y2FuYXJ5", "113.199"];
const ALL = Object.values(CANARY).join(" ");

describe("a log line", () => {
  it("has the same eight fields, whoever writes it, each once", async () => {
    const { app, texts, lines, logs } = await observedApp();
    logs.logger.info("started");
    logs.logger.warn({ duration_ms: 12, other: 1 }, "slow");
    await app.inject({ url: "/tasks/7" });
    await app.inject({ url: "/bug" });
    await until(() => lines().length === 6, "all lines");
    for (const line of lines()) expect(Object.keys(line)).toEqual(expect.arrayContaining(FIELDS));
    for (const text of texts) {
      expect(text.match(/\n/g)).toHaveLength(1);
      if (text.includes('"err":')) continue;
      for (const field of FIELDS) expect(text.split(`"${field}":`)).toHaveLength(2);
    }
    expect(lines()[0]).toMatchObject({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: "info",
      service: "alai",
      version: "1.2.3",
      trace_id: null,
      request_id: null,
      message: "started",
      duration_ms: null,
    });
    expect(lines()[1]?.duration_ms).toBe(12);
  });

  it("tells nothing that must stay secret, in whichever field it comes", () => {
    const { logs, texts } = keptLogs();
    const error = new Error(ALL, { cause: new StoreError("unavailable", ALL, ALL, new Error(ALL)) });
    error.stack = `Error: x\n    at ${CANARY.mail}\n    at (${CANARY.jwt}:1:2)`;
    Object.assign(error, {
      address: CANARY.address,
      config: { headers: { authorization: "canary", cookie: ["canary"] } },
    });
    for (const log of [logs.logger, logs.plain, logs.forRequest({ trace_id: CANARY.jwt, request_id: CANARY.mail })]) {
      log.info(ALL);
      log.info({ err: error, error }, ALL);
      log.error(error);
      log.error(new AggregateError([error, error], ALL));
      log.warn({ a: { b: [{ c: ALL, password: "canary", [CANARY.mail]: 1 }] }, token: "canary" }, "%s", ALL);
      log.info({ headers: { authorization: "canary", Cookie: "sid=canary", "x-api-key": "canary" } });
      log.info({ rawHeaders: ["Host", "x", "Authorization", "canary", "Cookie", "canary"] });
      log.info({ url: "postgres://u:canary@db/x?password=canary", query: "/tasks?text=canary&limit=3" });
      log.child({ subject: CANARY.mail, nested: { jwt: CANARY.jwt } }).info("child");
    }
    expect(texts.length).toBe(27);
    for (const text of texts) {
      JSON.parse(text);
      for (const leak of LEAKS) expect(text).not.toContain(leak);
    }
  });

  it("is left out below the level", () => {
    for (const [level, count] of [
      ["warn", 2],
      ["debug", 4],
      ["silent", 0],
    ] as const) {
      const { logs, texts } = keptLogs(level);
      for (const name of ["trace", "debug", "info", "warn", "error"] as const) logs.logger[name]("x");
      expect([level, texts.length]).toEqual([level, count]);
    }
    expect(LOG_LEVELS.map(readLogLevel)).toEqual([...LOG_LEVELS]);
    expect([readLogLevel("WARN"), readLogLevel("loud"), readLogLevel("")]).toEqual(["warn", null, null]);
  });
});

describe("the line of a request", () => {
  const requests = (lines: Line[]) => lines.filter(({ message }) => message === "request");

  it("names the route and never the address that was asked", async () => {
    const { app, lines, texts } = await observedApp();
    await app.inject({
      url: "/tasks/4711?text=canary",
      headers: { "x-request-id": "abc-1" },
      remoteAddress: "203.0.113.199",
    });
    await app.inject({ method: "PUT", url: "/canary/path" });
    await app.inject({ url: "/bug" });
    expect(requests(lines())).toMatchObject([
      {
        level: "info",
        method: "GET",
        route: "/tasks/:id",
        operation: "getTask",
        status: 200,
        request_id: "abc-1",
        address: "203.0.113.0/24",
      },
      { level: "info", method: "PUT", route: "none", operation: "none", status: 404, address: "127.0.0.0/24" },
      { level: "error", route: "/bug", status: 500 },
    ]);
    expect(texts.join()).not.toMatch(/canary|4711/);
    for (const { duration_ms, trace_id } of requests(lines())) {
      expect(duration_ms).toBeGreaterThan(0);
      expect(trace_id).toMatch(/^[\da-f]{32}$/);
    }
  });

  it("has the ids that the lines within the request have, and the answer", async () => {
    const { app, lines } = await observedApp();
    const answer = await app.inject({ url: "/bug" });
    const ids = lines().map(({ trace_id, request_id }) => `${trace_id} ${request_id}`);
    expect(lines().map(({ message }) => message)).toEqual(["careful", "request failed", "request"]);
    expect(new Set(ids).size).toBe(1);
    expect(answer.headers["x-request-id"]).toBe(lines()[0]?.request_id);
    expect(answer.json().request_id).toBe(lines()[0]?.request_id);
    expect(String(answer.headers.traceparent)).toContain(String(lines()[0]?.trace_id));
    expect(JSON.stringify(lines())).not.toMatch(/jane@|113\.77/);
  });

  it("comes too when the client has left", async () => {
    let arrived = false;
    const { app, lines } = await observedApp({}, (made) => {
      made.get("/slow", () => {
        arrived = true;
        return new Promise(() => {});
      });
    });
    const port = await listen(app);
    const client = httpRequest({ port, path: "/slow", host: "127.0.0.1" }).end();
    client.on("error", () => {});
    await until(() => arrived, "the request");
    client.destroy();
    await until(() => requests(lines()).length === 1, "the line");
    expect(requests(lines())[0]).toMatchObject({ route: "/slow", status: 499 });
  });

  it("of health checks is for debugging", async () => {
    const { app, lines } = await observedApp({ level: "info" }, (made) => {
      made.get("/healthz", { config: { operation: "healthz" } }, async () => ({}));
    });
    await app.inject({ url: "/healthz" });
    await app.inject({ url: "/tasks/1" });
    expect(requests(lines()).map(({ route }) => route)).toEqual(["/tasks/:id"]);
  });
});

describe("the writing of lines", () => {
  const script = (body: string) => `
    import { createLogs } from ${JSON.stringify(new URL("../../../server/src/ops/logger.ts", import.meta.url).href)};
    const { logger, flush } = createLogs({ version: "1" });
    ${body}`;
  const run = (body: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", script(body)], { maxBuffer: 2 ** 26 }).catch(
      (error: { stdout: string }) => error,
    );
  const count = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)).length;

  it.each([
    ["the process ends", ""],
    ["it exits", "process.exit(0);"],
    ["it fails", "throw new Error('x');"],
    ["SIGKILL ends it", "process.kill(process.pid, 'SIGKILL');"],
    [
      "SIGTERM ends it gracefully",
      "process.once('SIGTERM', () => process.exit(0)); process.kill(process.pid, 'SIGTERM');",
    ],
  ])("loses none when %s", async (_how, ending) => {
    const { stdout } = await run(`for (let i = 0; i < 20000; i += 1) logger.info({ i }, "line"); ${ending}`);
    expect(count(stdout)).toBe(20_000);
  });

  it("costs a small multiple of the JSON itself", () => {
    const place = folder();
    const { openSync } = process.getBuiltinModule("node:fs");
    const file = createLogs({ version: "1", to: openSync(place.file("log"), "w") });
    const fields = {
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      request_id: "abc",
      duration_ms: 1.5,
      method: "GET",
      route: "/tasks/:id",
      operation: "getTask",
      status: 200,
      subject: "open",
      address: "127.0.0.0/24",
    };
    const cost = (write: () => void) => {
      const began = process.cpuUsage();
      for (let i = 0; i < 20_000; i += 1) write();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 20_000;
    };
    const log = () => file.plain.info(fields, "request");
    // What nobody can do without: the line as JSON, read once more. By the processor's time, so that others do not count.
    const plain = () => JSON.parse(JSON.stringify({ ...fields, level: "info", time: new Date(), message: "request" }));
    for (const warm of [log, plain]) cost(warm);
    const [micros, least] = [cost(log), cost(plain)];
    file.flush();
    place.remove();
    console.info(
      `a line of a request: ${micros.toFixed(1)} µs of the processor, redaction and writing included; as JSON and back ${least.toFixed(1)} µs`,
    );
    expect(micros / least).toBeLessThan(20);
  });
});
