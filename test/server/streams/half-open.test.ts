import { promisify } from "node:util";
import { expect, it } from "vitest";
import { streamApp } from "./app.ts";
import { until } from "./bench.ts";
import { counting } from "./counting.ts";
import { asking, HANDSHAKE, halfOpen } from "./half-open.ts";

/** Clients that read the answer and never close their side: what is kept of them is kept for ever. */
it.each([
  ["401", "/events/ws", `X-No: 1\r\n${HANDSHAKE}`],
  ["404", "/nowhere", HANDSHAKE],
  ["410", "/events/ws?after=7", HANDSHAKE],
  ["400", "/events/ws", ""],
  ["400", "/events/ws", HANDSHAKE.replace("13", "7")],
  ["200", "/hello", HANDSHAKE],
])("nothing is kept of a socket that was answered with %s (%s)", async (status, path, more) => {
  const { app, port } = await streamApp({}, (made) =>
    made.addHook("preHandler", async (request, reply) => {
      if (request.headers["x-no"]) return reply.code(401).send({ code: "unauthenticated" });
    }),
  );
  const clients = Array.from({ length: 10 }, () => halfOpen(port, asking(path, more)));
  for (const { said } of clients)
    expect(await said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n\\{.*\\}`));
  expect(clients.filter(({ socket }) => socket.writable)).toHaveLength(10);
  const open = promisify(app.server.getConnections.bind(app.server));
  await until(async () => (await open()) === 0, "all are let go");
});

it("bad handshakes leave their places to others", async () => {
  const observer = counting();
  const { port } = await streamApp({ limits: { perSubject: 3 }, observer });
  for (let i = 0; i < 10; i += 1)
    expect(await halfOpen(port, asking("/events/ws", "Sec-WebSocket-Version: 7\r\n")).said).toMatch(/^HTTP\/1\.1 400 /);
  halfOpen(port, asking("/events/ws", HANDSHAKE));
  await until(() => observer.open.websocket === 1, "a good one is let in");
});
