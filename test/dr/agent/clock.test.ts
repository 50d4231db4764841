import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Agent } from "../../../src/dr/agent/agent.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { Origin } from "../../../src/dr/agent/origin.ts";
import { Seen } from "../../../src/dr/agent/seen.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { type Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { until } from "../world.ts";
import { manifestIn } from "./manifest.ts";

const HOUR = 3_600_000;

let folder: string;
let state: AgentState;
/** What the machine's clock says; somebody sets it. */
let wall: number;
/** What nobody sets. */
let steady: number;
let reads: number;
let stop: AbortController;
let agent: Agent;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-clock-"));
  state = new AgentState(join(folder, "agent.db"));
  wall = Date.now();
  steady = 1000;
  reads = 0;
  stop = new AbortController();
  agent = makeAgent();
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the first host; its storage has no replicas, and its Litestream one that only waits for its end. */
function makeAgent(): Agent {
  const manifest = manifestIn(folder);
  const [host] = manifest.hosts;
  if (!host) throw new Error("no host");
  const litestream = join(folder, "waits");
  writeFileSync(litestream, "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.05; done\n");
  chmodSync(litestream, 0o700);
  const clock = () => wall;
  const log = createLog(() => {}, "1", clock);
  const objects = new Map<string, Uint8Array>();
  const storage: Pick<Storage, "label" | "operations" | "list" | "read" | "write"> = {
    label: "the storage",
    operations: { list: 0, read: 0, write: 0, remove: 0 },
    list: async () => [],
    read: async (key) => {
      reads++;
      const body = objects.get(key);
      if (!body) throw new StorageError("missing", "It is not there.");
      return { body, etag: "one", modified: null };
    },
    write: async (key, body) => {
      objects.set(key, body);
      return "one";
    },
  };
  return new Agent({
    ...{ manifest, host, version: "1", poll: 1000, state, log, clock, litestream, platform: process.platform },
    monotonic: () => steady,
    storage: storage as Storage,
    seen: new Seen({ manifest, host, token: null, clock, own: async () => [] }),
    env: { PATH: process.env.PATH ?? "" },
    signal: stop.signal,
    proofs: () => ({ good: [], failed: [] }),
    askPrimary: async () => null,
    onMinute: async () => {},
  });
}

describe("an agent whose machine's clock is set", () => {
  it("still reads who may write, also when the clock went back", async () => {
    const run = agent.run();
    try {
      await until("it acts", () => agent.report.children[0]?.pid);
      const before = reads;
      wall -= HOUR;
      steady += 10_000;
      await until("another look at who may write", () => reads > before);
    } finally {
      stop.abort();
      await run;
    }
  });

  it("is alive as long as its rounds go on, and not longer", () => {
    wall += HOUR;
    expect(agent.isAlive).toBe(true);
    wall -= 2 * HOUR;
    steady += 60_000;
    expect(agent.isAlive).toBe(false);
  });
});

describe("a heartbeat", () => {
  it("is due by a clock that nobody sets, and says what the machine's clock says", () => {
    const { databases, hosts } = manifestIn(folder);
    const [database, host] = [databases[0], hosts[0]];
    if (!database || !host) throw new Error("an empty manifest");
    mkdirSync(host.databases);
    const file = new DatabaseSync(join(host.databases, database.path));
    file.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    const nothing = { beat: null, shipped: null, inode: null, data: null, healed: null };
    const origin = new Origin({ ...database, heartbeat: 1000 }, host, nothing);
    const beat = () => {
      file.exec("INSERT INTO t VALUES (1)");
      return origin.beat(1, () => wall, steady);
    };
    try {
      expect(beat()).toMatchObject({ kind: "written", beat: { at: wall } });
      wall += HOUR;
      steady += 500;
      expect(beat()).toBeNull();
      wall -= 3 * HOUR;
      steady += 500;
      // Set back, a heartbeat would not have come for hours.
      expect(beat()).toMatchObject({ kind: "written", beat: { seq: 2 } });
    } finally {
      origin.close();
      file.close();
    }
  });
});
