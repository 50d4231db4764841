import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { createLog } from "../../../src/dr/agent/log.ts";
import { AgentServer } from "../../../src/dr/agent/serve.ts";
import type { Host } from "../../../src/dr/manifest/model.ts";

test("a port that another program has is said to be that, and no bug", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  try {
    const host = { name: "first", port, addresses: ["127.0.0.1"] } as unknown as Host;
    const log = createLog(
      () => undefined,
      "1",
      () => 0,
    );
    await using server = new AgentServer({ host, token: null, pages: {}, log });
    await expect(server.start()).rejects.toMatchObject({
      exit: 69,
      code: "port_taken",
      message: `Another program listens on port ${port} of 127.0.0.1.`,
      hint: expect.stringContaining("give first another port"),
    });
  } finally {
    other.close();
  }
});

test("addresses that are not this machine's are said at start: nobody else reaches the agent", async () => {
  const lines: { level: string; message: string; address?: string }[] = [];
  const log = createLog(
    (line) => lines.push(JSON.parse(line) as (typeof lines)[number]),
    "1",
    () => 0,
  );
  const host = { name: "first", port: 0, addresses: ["203.0.113.7", "127.0.0.1"] } as unknown as Host;
  await using server = new AgentServer({ host, token: "t", pages: {}, log });
  await server.start();
  const warned = lines.filter(({ level }) => level === "warn");
  expect(warned).toMatchObject([
    { address: "203.0.113.7", message: expect.stringMatching(/on no interface of this machine: others cannot reach/) },
    { message: expect.stringMatching(/serves this machine only: no address/) },
  ]);
});
