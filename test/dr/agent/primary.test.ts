import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIMARY_KEY } from "../../../src/dr/epoch.ts";
import { filesByReplica, newestTxid } from "../../../src/dr/ltx/name.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

// One world, which the tests go through one after the other: each leaves the agent running and well.
let world: World;
let fleet: Fleet;
let agent: TestProcess;
beforeAll(async () => {
  world = await World.make({ databases: ["one", "two"] });
  writeFileSync(world.file("mail"), "");
  world.create("plain");
  fleet = await Fleet.make(world, { plain: ["plain"], optional: ["mail", "later"] });
  agent = fleet.start("anvil");
  await world.startWriter({ databases: ["one"] });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** The position of a replica in storage, asked without the agent. */
async function stored(name: string): Promise<number> {
  const storage = await world.openStorage();
  return newestTxid(filesByReplica(await storage.list("e1/"), "e1/").get(name) ?? []);
}

/** What was committed from now on has come up in storage, by what the agent knows. */
async function ships(name: string): Promise<void> {
  const from = Date.now();
  await fleet.says("anvil", name, "ships", ({ shipped }) => (shipped?.time ?? 0) > from);
}

const litestreamsRun = (count: number) =>
  until(`${count} Litestreams`, async () => (await fleet.litestreams()).length === count);

describe("the agent of a primary", () => {
  it("replicates every database, and its heartbeats come up in storage", async () => {
    await fleet.says("anvil", "one", "a heartbeat that is shipped", ({ shipped }) => (shipped?.beat?.seq ?? 0) > 1);
    await ships("plain");
    expect(await stored("two")).toBeGreaterThan(0);
    const report = await fleet.report("anvil");
    expect(report).toMatchObject({ host: "anvil", role: "primary", epoch: 1, waiting: null, storageTrouble: null });
    expect(report?.children.map(({ name }) => name)).toEqual(["litestream-p0+p2"]);
  });

  it("a heartbeat's sequence rises, and its time with it", async () => {
    const seen: { seq: number; at: number }[] = [];
    await until("five heartbeats", async () => {
      const beat = (await fleet.report("anvil"))?.databases.find(({ name }) => name === "one")?.committed?.beat;
      if (beat && beat.seq !== seen.at(-1)?.seq) seen.push(beat);
      return seen.length >= 5;
    });
    for (const [at, beat] of seen.entries()) {
      if (at === 0) continue;
      expect(beat.seq).toBeGreaterThan(seen[at - 1]?.seq ?? 0);
      expect(beat.at).toBeGreaterThan(seen[at - 1]?.at ?? 0);
    }
  });

  it("writes none where nothing has changed, and Litestream's own row is no change", async () => {
    const beatOf = async () =>
      (await fleet.report("anvil"))?.databases.find(({ name }) => name === "two")?.committed?.beat;
    const before = await until("a heartbeat", beatOf);
    const busy = () => fleet.says("anvil", "one", "", ({ committed }) => committed?.beat != null);
    const from = (await busy()).committed?.beat?.seq ?? 0;
    await fleet.says("anvil", "one", "four more heartbeats", ({ committed }) => (committed?.beat?.seq ?? 0) > from + 3);
    expect(await beatOf()).toEqual(before);
    world.sql("two", "INSERT INTO marker VALUES (1000, 0, '')");
    await fleet.says(
      "anvil",
      "two",
      "a heartbeat for what changed",
      ({ committed }) => committed?.beat?.seq === before.seq + 1,
    );
  });

  it("writes nothing of its own into a database that was planned empty, and Litestream covers it all the same", async () => {
    const mail = await fleet.says("anvil", "mail", "is covered", ({ shipped }) => (shipped?.txid ?? 0) > 0);
    expect(mail).toMatchObject({ state: "empty", committed: { beat: null } });
    const db = new DatabaseSync(world.file("mail"), { readOnly: true });
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    db.close();
    expect(tables.map(({ name }) => name).sort()).toEqual(["_litestream_lock", "_litestream_seq"]);
  });

  it("answers on loopback, with nothing secret, and not to a page under another name", async () => {
    const at = `http://127.0.0.1:${fleet.manifest.hosts[0]?.port}`;
    // On a busy machine a heartbeat may be late for a moment.
    const health = await until("that all is well", async () => {
      const said = (await (await fetch(`${at}/health`)).json()) as { readonly status: string };
      return said.status === "ok" && said;
    });
    expect(health).toMatchObject({ status: "ok", host: "anvil", role: "primary", epoch: 1 });
    expect(await (await fetch(`${at}/metrics`)).text()).toContain('alai_dr_child_up{child="litestream-p0+p2"} 1');
    expect((await fetch(`${at}/else`)).status).toBe(404);
    expect((await fetch(`${at}/report`, { method: "POST" })).status).toBe(405);
  });

  it("refuses a second agent of the same host", async () => {
    const second = fleet.start("anvil");
    await second.says(/Another agent of anvil runs/);
    await until("its end", () => second.isOver);
    expect(second.child.exitCode).toBe(1);
    await litestreamsRun(1);
  });

  it("starts a Litestream that was killed again, says so, and calms down", async () => {
    const [before] = await fleet.litestreams();
    process.kill(before ?? 0, "SIGKILL");
    await until("the alarm", async () =>
      (await fleet.report("anvil"))?.alarms.some(({ kind }) => kind === "child_died"),
    );
    await litestreamsRun(1);
    expect(await fleet.litestreams()).not.toContain(before);
    await ships("one");
    expect((await fleet.report("anvil"))?.children[0]).toMatchObject({ restarts: 1, lastExit: "SIGKILL" });
  });

  it("after SIGKILL of the agent the next one ends the orphan before it starts its own, and all goes on", async () => {
    const [orphan] = await fleet.litestreams();
    const before =
      (await fleet.report("anvil"))?.databases.find(({ name }) => name === "one")?.committed?.beat?.seq ?? 0;
    await agent.kill("SIGKILL");
    expect(await fleet.litestreams()).toEqual([orphan]);
    agent = fleet.start("anvil");
    await agent.says(/still ran: it is ended/);
    await agent.says(/child started/);
    await litestreamsRun(1);
    expect(await fleet.litestreams()).not.toContain(orphan);
    await ships("one");
    const one = await fleet.says(
      "anvil",
      "one",
      "a newer beat",
      ({ committed }) => (committed?.beat?.seq ?? 0) > before,
    );
    expect(one.state).toBe("ok");
  });
});

describe("files that come and go under the agent", () => {
  it("a database that appears is replicated, with a heartbeat", async () => {
    world.create("later");
    await fleet.says("anvil", "later", "is shipped", ({ state, shipped }) => state === "ok" && shipped?.beat != null);
  });

  it("one that is replaced is noticed: Litestream would go on with the old file and say nothing", async () => {
    const next = join(world.folder, "next.db");
    const db = new DatabaseSync(next);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE replaced (x); INSERT INTO replaced VALUES (42)");
    db.close();
    for (const end of ["-wal", "-shm"]) rmSync(world.file("two") + end, { force: true });
    renameSync(next, world.file("two"));
    await agent.says(/another file is in the place of two/);
    await ships("two");
    expect((await fleet.report("anvil"))?.databases.find(({ name }) => name === "two")?.note).toBeNull();
  });

  it("one that disappears is missing, with an alarm, unless it may be", async () => {
    const aside = join(world.folder, "aside.db");
    renameSync(world.file("one"), aside);
    await fleet.says(
      "anvil",
      "one",
      "is missing",
      ({ state }, { alarms }) =>
        state === "missing" && alarms.some(({ kind, subject }) => kind === "damaged" && subject === "one"),
    );
    renameSync(aside, world.file("one"));
    await fleet.says(
      "anvil",
      "one",
      "is there again",
      ({ state }, { alarms }) =>
        state === "ok" && !alarms.some(({ kind, subject }) => kind === "damaged" && subject === "one"),
    );
    await ships("one");
  });
});

describe("who may write", () => {
  it("a primary that is told of another one stops at once, and writes nothing until it is its turn again", async () => {
    const storage = await world.openStorage();
    await storage.write(PRIMARY_KEY, Buffer.from('{"epoch":2,"owner":"forge","state":"primary","id":"x"}'));
    await agent.says(/forge has been the primary since epoch 2/);
    await litestreamsRun(0);
    const health = await (await fetch(`http://127.0.0.1:${fleet.manifest.hosts[0]?.port}/health`)).json();
    expect(health).toMatchObject({ status: "waiting", waiting: expect.stringContaining("forge") });
    const seq = () => {
      const db = new DatabaseSync(world.file("one"), { readOnly: true });
      const row = db.prepare("SELECT epoch, seq FROM _alai_hb").get();
      db.close();
      return { ...row };
    };
    const before = seq();
    // A restart, as after a power cut, does not change its mind.
    await agent.kill("SIGKILL");
    agent = fleet.start("anvil");
    await agent.says(/forge has been the primary since epoch 2/);
    expect(await fleet.litestreams()).toEqual([]);
    expect(seq()).toEqual(before);
    await storage.write(PRIMARY_KEY, Buffer.from('{"epoch":3,"owner":"anvil","state":"primary","id":"y"}'));
    await litestreamsRun(1);
    await until("replicas of the new epoch", async () => (await storage.list("e3/")).length > 0);
    await until("heartbeats of the new epoch", () => seq().epoch === 3);
  });

  it("ends on SIGTERM with 0, and leaves no Litestream behind", async () => {
    await agent.kill("SIGTERM");
    expect(agent.child.exitCode).toBe(0);
    expect(await fleet.litestreams()).toEqual([]);
    expect(agent.output).toContain('"message":"ended"');
    for (const line of agent.output.trim().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ service: "alai-host-agent" });
    expect(existsSync(join(world.folder, "primary", "litestream"))).toBe(true);
    expect(statSync(join(world.folder, "primary", "litestream", "litestream-p0+p2.yml")).mode & 0o077).toBe(0);
  });
});
