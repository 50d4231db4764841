import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Agent } from "../../../src/dr/agent/agent.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { Seen } from "../../../src/dr/agent/seen.ts";
import { writerInterval, writerKey } from "../../../src/dr/agent/sign.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { until } from "../world.ts";
import { manifestIn } from "./manifest.ts";

const INTERVAL = writerInterval("file");

let folder: string;
let state: AgentState;
let storage: Storage;
/** Both clocks. */
let now: number;
let stop: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-fence-"));
  for (const name of ["storage", "db"]) mkdirSync(join(folder, name));
  const db = new DatabaseSync(join(folder, "db", "mc.db"));
  db.exec("CREATE TABLE t (x)");
  db.close();
  state = new AgentState(join(folder, "agent.db"));
  storage = new FolderStorage({ path: join(folder, "storage"), prefix: "" }, 10_000);
  now = Date.now();
  stop = new AbortController();
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the primary; its Litestream says when it is asked to end, and waits for that. */
function makeAgent(): Agent {
  const manifest = manifestIn(folder);
  const [host] = manifest.hosts;
  if (!host) throw new Error("no host");
  const litestream = join(folder, "waits");
  const said = join(folder, "flushed");
  writeFileSync(litestream, `#!/bin/sh\ntrap 'echo flushed > "${said}"; exit 0' TERM\nwhile :; do sleep 0.05; done\n`);
  chmodSync(litestream, 0o700);
  const clock = () => now;
  const log = createLog(() => {}, "1", clock);
  return new Agent({
    ...{ manifest, host, version: "1", poll: 500, state, log, clock, litestream, storage, platform: process.platform },
    monotonic: () => now,
    seen: new Seen({ manifest, host, token: null, clock, own: async () => [] }),
    env: { PATH: process.env.PATH ?? "" },
    signal: stop.signal,
    proofs: () => ({ good: [], failed: [] }),
    askPrimary: async () => null,
    onMinute: async () => {},
  });
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it("a primary that finds another one's sign ends its Litestream without a last upload, waits, and goes on when that is removed", async () => {
  const agent = makeAgent();
  const running = () => agent.report.children[0]?.pid;
  const run = agent.run();
  try {
    const pid = await until("it sends", running);
    const file = join(folder, "storage", writerKey(1));
    const own = JSON.parse(readFileSync(file, "utf8"));
    const other = { ...own, id: "other-id", mark: "other", machine: "elsewhere", count: 7 };
    writeFileSync(file, JSON.stringify(other));
    now += INTERVAL;
    await until("it waits", () => agent.report.waiting);
    expect(agent.report.waiting).toContain("the agent of anvil on the machine elsewhere, id other-id");
    await until("its Litestream's end", () => !isAlive(pid));
    expect(() => readFileSync(join(folder, "flushed"))).toThrow("ENOENT");
    const alarm = await until("the alarm", () => agent.report.alarms.find(({ kind }) => kind === "foreign_writer"));
    expect(alarm).toMatchObject({ subject: "", sentence: agent.report.foreignWriter });
    rmSync(file);
    now += INTERVAL;
    await until("it sends again", running);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ id: own.id, machine: own.machine });
    await until("calm", () => agent.report.alarms.every(({ kind }) => kind !== "foreign_writer"));
  } finally {
    stop.abort();
    await run;
  }
});
