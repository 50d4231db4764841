import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AlertChannel } from "../../src/dr/manifest/model.ts";
import type { Context } from "../../src/kit/context.ts";
import { openChannels } from "../../src/watch/channels/open.ts";
import { outgoing } from "./notices.ts";

/** The generic webhook is what docs/watch.md says that it is. */

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "watch.md"), "utf8");

test("the body has the documented keys, the signature is over time and body, and anything but 2xx is sent again", async () => {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const statuses = [503, 202];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    got.push({ headers: request.headers, body: Buffer.concat(pieces).toString("utf8") });
    response.writeHead(statuses.shift() ?? 200, { "retry-after": "7" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const spec: AlertChannel = { kind: "webhook", name: "pager", url, secret: "HOOK_KEY" };
  const closers: (() => unknown)[] = [];
  const context = { env: { HOOK_KEY: "key" }, clock: Date.now, onExit: (close: () => unknown) => closers.push(close) };
  const channel = openChannels(context as unknown as Context, [spec]).get("pager");
  await expect(channel?.send(outgoing())).rejects.toMatchObject({ wait: 7000, maybeSent: false });
  await channel?.send(outgoing({ again: true, attempt: 2 }));
  for (const close of closers) close();
  server.close();

  const [, second] = got;
  const { headers, body = "" } = second ?? expect.fail("it was not sent again");
  const mac = createHmac("sha256", "key").update(`${headers["alai-timestamp"]}.${body}`).digest("hex");
  expect(headers["alai-signature"]).toBe(`v1=${mac}`);
  expect(Math.abs(Date.now() / 1000 - Number(headers["alai-timestamp"]))).toBeLessThan(120);
  expect(headers["idempotency-key"]).toBe(got[0]?.headers["idempotency-key"]);
  const sent = JSON.parse(body) as Record<string, unknown>;
  expect(sent).toMatchObject({ event: "down", host: "anvil", attempt: 2, maybe_repeated: true, lasted_seconds: 20 });
  const documented = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => key);
  expect(documented).toEqual(expect.arrayContaining(Object.keys(sent)));
  const [, example = "{}"] = /```json\n(\{.*?\})\n```/s.exec(page) ?? [];
  expect(Object.keys(JSON.parse(example) as object)).toEqual(Object.keys(sent));
});
