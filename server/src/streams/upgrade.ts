import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import { part } from "../http/part.ts";
import { rawHandshakeProblem } from "../http/raw.ts";

/** A client's first bytes after its request, by the request. */
const heads = new WeakMap<IncomingMessage, Buffer>();

/** What a handshake came to, by the request: the response knows nothing of it. */
const outcomes = new WeakMap<IncomingMessage, number>();
/** Sockets that Node's server has let go of: it neither closes them nor counts them among its connections. */
const upgraded = new WeakMap<FastifyInstance["server"], Set<Duplex>>();

/** True for a request that asks to become a WebSocket. */
export function isUpgrade(request: IncomingMessage): boolean {
  return heads.has(request);
}

/** The status that a handshake was answered with; undefined when it had no answer, or one in plain HTTP. */
export function handshakeStatus(request: IncomingMessage): number | undefined {
  return outcomes.get(request);
}

/** Cuts every socket that asked for an upgrade, whatever became of it: a server that stops waits for none of them. */
export function cutUpgraded(server: FastifyInstance["server"]): void {
  for (const socket of upgraded.get(server) ?? []) socket.destroy();
}

/**
 * Sends requests for an upgrade through the app like any other, so that hooks, sign-in and errors are the same for them.
 * By hand and not by @fastify/websocket, which loads `ws` at start: 30 to 40 ms here, before anyone asked for a socket.
 */
export function routeUpgrades(app: FastifyInstance): void {
  // Else Node takes any `Upgrade:` for one (curl offers h2c) and no longer reads such a request's body. From Node 24.9 on.
  Object.assign(app.server, { shouldUpgradeCallback });
  const sockets = new Set<Duplex>();
  upgraded.set(app.server, sockets);
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own listener off: a reset while hooks run must not end the process.
    socket.on("error", () => socket.destroy());
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    heads.set(request, head);
    const response = new ServerResponse(request);
    // After an answer in plain HTTP nothing reads this socket any more.
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once("finish", () => part(socket));
    app.routing(request, response);
  });
}

function shouldUpgradeCallback(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket" && request.method === "GET";
}

let server: WebSocketServer | undefined;

/** Largest message a client may send: it has nothing to say but pong and close. */
const MAX_PAYLOAD = 1024;

async function makeServer(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import("ws");
  const made = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_PAYLOAD,
    perMessageDeflate: false,
  });
  // Its own answer is a line of text; errors here are problems.
  made.on("wsClientError", ({ message }, socket, request) => {
    outcomes.set(request, 400);
    part(socket, rawHandshakeProblem(`${message}.`));
  });
  return made;
}

/** Finishes the handshake of a request that was let in; null when it came to nothing: a bad handshake is answered with 400. */
export async function upgrade(request: IncomingMessage): Promise<WebSocket | null> {
  const head = heads.get(request);
  if (!head) throw new Error("This request does not ask for an upgrade.");
  server ??= await makeServer();
  const accepting = server;
  const { socket } = request;
  return new Promise((resolve) => {
    if (socket.destroyed) resolve(null);
    socket.once("close", () => resolve(null));
    accepting.handleUpgrade(request, socket, head, (made) => {
      outcomes.set(request, 101);
      resolve(made);
    });
  });
}
