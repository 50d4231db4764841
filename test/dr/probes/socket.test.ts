import { statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { binary, probe } from "./probe.ts";

const MIB = 2 ** 20;

/** What its control socket answers. */
function ask(socketPath: string, method: string, path: string, body?: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers: { host: "litestream" } }, (answer) => {
      text(answer).then(resolve, reject);
    });
    asked.once("error", reject);
    asked.end(body && JSON.stringify(body));
  });
}

probe("wal_size of a look that is over is what it took of the WAL", "src/dr/agent/socket.ts (sawAll)", async () => {
  await using world = await World.make();
  const socket = join(world.folder, "s.sock");
  const file = join(world.folder, "litestream.yml");
  // It looks only when it is told to.
  const entry = {
    path: world.file("one"),
    "monitor-interval": "1h",
    replica: { type: "file", path: `${world.folder}/r` },
  };
  writeFileSync(file, JSON.stringify({ socket: { enabled: true, path: socket }, dbs: [entry] }));
  const litestream = new TestProcess(binary(), ["replicate", "-config", file], { ...process.env, ...world.env });
  const look = async () => {
    await ask(socket, "POST", "/sync", { path: world.file("one") });
    const { databases } = JSON.parse(await ask(socket, "GET", "/debug/sync-status"));
    return databases[0] as { active: boolean; txid?: number; wal_size?: number };
  };
  try {
    const first = await until("a first position", async () => {
      const one = await look().catch(() => null);
      return one?.txid ? one : null;
    });
    world.sql("one", `INSERT INTO marker VALUES (1, 1, '${"x".repeat(MIB)}')`);
    const taken = await look();
    expect(taken).toMatchObject({ active: false, txid: (first.txid ?? 0) + 1 });
    expect(taken.wal_size).toBeGreaterThan(MIB);
    const nothing = await look();
    expect([nothing.active, nothing.txid, nothing.wal_size ?? 0]).toEqual([false, taken.txid, 0]);
    expect(statSync(`${world.file("one")}-wal`).size).toBeGreaterThan(MIB);
  } finally {
    await litestream.kill();
  }
});
