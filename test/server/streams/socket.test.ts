import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { BadRequest } from "../../../server/src/http/bad-request.ts";
import { CLOSE } from "../../../server/src/streams/index.ts";
import { streamApp } from "./app.ts";
import { addTasks, ann, until } from "./bench.ts";
import { asking, HANDSHAKE, halfOpen } from "./half-open.ts";

interface Opened {
  readonly socket: WebSocket;
  readonly messages: { type: string; event?: { seq: number }; [field: string]: unknown }[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

function open(port: number, path = "/events/ws", options: object = {}): Opened {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  const messages: Opened["messages"] = [];
  socket.on("message", (data) => messages.push(JSON.parse(String(data))));
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
  );
  return { socket, messages, closed };
}

/** The status that a handshake was refused with. */
function refusal(port: number, path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const { socket } = open(port, path, { headers });
  return new Promise((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
    socket.on("open", () => resolve(101));
  });
}

describe("/events/ws", () => {
  it("sends what was and what comes, after the number asked for", async () => {
    const { ledger, feed, port } = await streamApp();
    const ids = await addTasks(ledger, 5);
    const all = open(port);
    const some = open(port, "/events/ws?after=3");
    const one = open(port, `/events/ws?task=${ids[1]}`);
    await until(() => all.messages.length === 5 && some.messages.length === 2, "what was");
    await addTasks(ledger, 1);
    feed.nudge();
    await until(() => all.messages.length === 6 && some.messages.length === 3, "what comes");
    expect(all.messages).toEqual((await ledger.events({})).map((event) => ({ type: "event", event })));
    expect(some.messages.map(({ event }) => event?.seq)).toEqual([4, 5, 6]);
    expect(one.messages.map(({ event }) => event?.seq)).toEqual([2]);
  });

  it("refuses with a problem before the upgrade", async () => {
    const { app, port } = await streamApp({ limits: { perSubject: 1 } }, (made) =>
      made.addHook("preHandler", async (request) => {
        if (request.headers["x-no"]) throw new BadRequest("unauthenticated", "Who are you?", "Say so.", 401);
      }),
    );
    expect(await refusal(port, "/events/ws", { "x-no": "1" })).toBe(401);
    expect(await refusal(port, "/events/ws?after=abc")).toBe(400);
    expect(await refusal(port, "/events/ws?after=7")).toBe(410);
    expect(await refusal(port, "/events/ws", { origin: "https://evil.example" })).toBe(403);
    expect(await refusal(port, "/events/ws", { origin: "null" })).toBe(403);
    expect(await refusal(port, "/nowhere")).toBe(404);
    expect(await refusal(port, "/events/ws", { origin: `http://127.0.0.1:${port}` })).toBe(101);
    expect(await refusal(port, "/events/ws")).toBe(429);
    const plain = await app.inject({ url: "/events/ws" });
    expect([plain.statusCode, plain.headers.upgrade, plain.json().code]).toEqual([
      426,
      "websocket",
      "upgrade_required",
    ]);
  });

  it("answers a handshake that is none with 400, and keeps no place for it", async () => {
    const { port } = await streamApp({ limits: { total: 1 } });
    for (const more of ["", "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: x\r\n"])
      expect(await halfOpen(port, asking("/events/ws", more)).said).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await refusal(port, "/events/ws")).toBe(101);
  });

  it("serves other requests that offer an upgrade as if they had not", async () => {
    const { port } = await streamApp();
    const ask = (upgrade: string) =>
      halfOpen(port, `GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`)
        .said;
    expect(await ask("h2c")).toContain('{"hello":"world"}');
    expect(await ask("websocket")).toContain('{"hello":"world"}');
  });

  it("closes when the client speaks", async () => {
    const { port, feed } = await streamApp();
    const small = open(port);
    small.socket.on("open", () => small.socket.send("hello"));
    expect((await small.closed).code).toBe(CLOSE.spoke);
    const large = open(port);
    large.socket.on("open", () => large.socket.send("x".repeat(2000)));
    expect((await large.closed).code).toBe(1009);
    await until(() => feed.size === 0, "both are gone");
  });

  it("cuts a client that answers no ping", async () => {
    const { port } = await streamApp({ limits: { heartbeat: 100, stall: 1500 } });
    const dead = open(port, "/events/ws", { autoPong: false });
    const alive = open(port);
    expect((await dead.closed).code).toBe(1006);
    await sleep(200);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("does not buffer for a client that takes nothing", async () => {
    const { app, port, ledger, feed } = await streamApp({ limits: { heartbeat: 200, stall: 1500 } });
    const sockets: Socket[] = [];
    app.server.on("connection", (socket) => sockets.push(socket));
    const stuck = open(port);
    await until(() => stuck.socket.readyState === WebSocket.OPEN, "open");
    stuck.socket.pause();
    for (let i = 0; i < 60; i += 1) {
      await addTasks(ledger, 1);
      await ledger.edit([i + 1], { description: "x".repeat(900_000) }, ann);
    }
    feed.nudge();
    await sleep(300);
    // One piece of 64 KiB or one event, whichever is larger, beyond what the kernel took.
    expect(sockets[0]?.writableLength).toBeLessThan(3e6);
    await until(() => feed.size === 0, "the cut");
  });

  it("says goodbye when the server stops", async () => {
    const { app, port, feed } = await streamApp();
    const client = open(port);
    await until(() => client.socket.readyState === WebSocket.OPEN, "open");
    feed.close(900);
    expect(await client.closed).toEqual({ code: CLOSE.bye, reason: "bye" });
    expect(client.messages).toEqual([{ type: "bye", retry_ms: 900 }]);
    await app.close();
  });

  it("ends with a gap where events are missing", async () => {
    const { port, ledger, feed } = await streamApp();
    await addTasks(ledger, 1);
    const client = open(port);
    await until(() => client.messages.length === 1, "the first");
    const events = ledger.events.bind(ledger);
    ledger.events = async (query) => (await events(query)).filter(({ seq }) => seq !== 2);
    await addTasks(ledger, 2);
    feed.nudge();
    expect((await client.closed).code).toBe(CLOSE.gap);
    expect(client.messages.at(-1)).toMatchObject({ type: "gap", problem: { code: "pruned" } });
  });

  it("survives clients that reset their connection at any moment", async () => {
    const { port, feed, app } = await streamApp();
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(asking("/events/ws", HANDSHAKE));
        setTimeout(() => socket.resetAndDestroy(), i % 4);
      });
      socket.on("error", () => {});
      await sleep(2);
    }
    await until(() => feed.size === 0, "all gone");
    expect((await app.inject({ url: "/hello" })).statusCode).toBe(200);
  });
});
