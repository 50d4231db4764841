import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import { rawHandshakeProblem } from "../http/raw.ts";

/** A client's first bytes after its request, by the request. */
const heads = new WeakMap<IncomingMessage, Buffer>();

/** True for a request that asks to become a WebSocket. */
export function isUpgrade(request: IncomingMessage): boolean {
  return heads.has(request);
}

/**
 * Sends requests for an upgrade through the app like any other, so that hooks, sign-in and errors are the same for them.
 * By hand and not by @fastify/websocket, which loads `ws` at start: 30 to 40 ms here, before anyone asked for a socket.
 */
export function routeUpgrades(app: FastifyInstance): void {
  // Else Node takes any `Upgrade:` for one (curl offers h2c) and no longer reads such a request's body. From Node 24.9 on.
  Object.assign(app.server, { shouldUpgradeCallback });
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own listener off: a reset while hooks run must not end the process.
    socket.on("error", () => socket.destroy());
    heads.set(request, head);
    const response = new ServerResponse(request);
    // After an answer in plain HTTP nothing reads this socket any more.
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once("finish", () => socket.end());
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
  made.on("wsClientError", ({ message }, socket) => socket.end(rawHandshakeProblem(`${message}.`)));
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
    accepting.handleUpgrade(request, socket, head, resolve);
  });
}
