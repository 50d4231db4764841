import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { Azurite } from "../azurite.ts";
import { until, World } from "../world.ts";
import { probe } from "./probe.ts";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await Azurite.start();
});
afterAll(() => azurite[Symbol.asyncDispose]());

/** Until a snapshot is there and nothing more comes: what was under way when storage froze would wait for it. */
async function settled(storage: Storage): Promise<void> {
  let before = "";
  await until("everything is sent", async () => {
    const keys = (await storage.list("e1/one/")).map(({ key }) => key).join();
    const isSame = keys === before && keys.includes("/ltx/9/");
    before = keys;
    if (!isSame) await sleep(2000);
    return isSame;
  });
}

interface Listed {
  readonly status: string;
  readonly last_sync_at?: string;
}

/** What Litestream says of its one database over its control socket. */
function listed(socketPath: string): Promise<Listed> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/list", headers: { host: "litestream" } }, async (answer) => {
      let text = "";
      for await (const part of answer) text += part;
      resolve((JSON.parse(text) as { databases: Listed[] }).databases[0] ?? { status: "none" });
    });
    asked.on("error", reject).end();
  });
}

probe(
  "a frozen storage is `replicating`, synced just now, and not a word",
  "src/dr/status (grade C is UNPROVEN)",
  async () => {
    await using world = await World.make({ azurite });
    const socket = join(world.folder, "s.sock");
    const litestream = await world.startLitestream({ settings: `socket: { enabled: true, path: ${socket} }\n` });
    await settled(await world.openStorage());
    azurite.freeze();
    try {
      const output = litestream.output.length;
      const frozen = Date.now();
      await sleep(3000);
      await until("it says that it synced after storage froze", async () => {
        const { status, last_sync_at: at = "" } = await listed(socket);
        expect(status).toBe("replicating");
        return Date.parse(at) > frozen + 1000;
      });
      expect(litestream.output.slice(output)).not.toMatch(/ERROR|WARN/);
    } finally {
      azurite.thaw();
    }
  },
);

probe(
  "exit 0 although the last change was never sent",
  "src/dr/agent/child.ts (an exit code proves nothing)",
  async () => {
    await using world = await World.make({ azurite });
    const litestream = await world.startLitestream({ settings: "shutdown-sync-timeout: 1s\n" });
    const storage = await world.openStorage();
    await settled(storage);
    const before = await storage.list("e1/one/ltx/0/");
    await azurite.stop();
    try {
      world.sql("one", "INSERT INTO marker VALUES (1, 1, 'never sent')");
      litestream.child.kill("SIGTERM");
      await until("it has ended", () => litestream.isOver);
      expect(litestream.child.exitCode).toBe(0);
    } finally {
      await azurite.restart();
    }
    expect(await storage.list("e1/one/ltx/0/")).toEqual(before);
  },
);
