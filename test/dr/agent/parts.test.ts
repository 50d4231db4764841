import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Listing } from "../../../src/dr/agent/listing.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { toMetrics } from "../../../src/dr/agent/metrics.ts";
import { Origin } from "../../../src/dr/agent/origin.ts";
import { Positions } from "../../../src/dr/agent/positions.ts";
import { lookAtProcess } from "../../../src/dr/agent/processes.ts";
import { rotate } from "../../../src/dr/agent/rotate.ts";
import { askLitestream } from "../../../src/dr/agent/socket.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { lastWriter, versionIn } from "../../../src/dr/agent/surroundings.ts";
import { decide } from "../../../src/dr/agent/verdict.ts";
import { readPrimary } from "../../../src/dr/epoch.ts";
import type { HostReport } from "../../../src/dr/report.ts";
import { type Blob, type Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { manifestIn } from "./manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-agent-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function originIn(at: string) {
  const { databases, hosts } = manifestIn(at);
  const [database] = databases;
  const [host] = hosts;
  if (!database || !host) throw new Error("an empty manifest");
  return [database, host] as const;
}

const claim = (txid: number, syncedAt: number) => ({ path: "", txid, active: false, syncedAt, error: null });

describe("positions", () => {
  it("say until when a listed position has everything", () => {
    const positions = new Positions();
    for (const [txid, at] of [
      [1, 100],
      [1, 200],
      [2, 300],
      [4, 400],
    ] as const)
      positions.observe(claim(txid, at));
    expect(positions.coveredBy(0)).toBeNull();
    expect(positions.coveredBy(1)).toBe(200);
    expect(positions.coveredBy(3)).toBe(300);
    expect(positions.coveredBy(9)).toBe(400);
  });

  it("never promise more than was seen: what a listing covers was looked at with no newer position", () => {
    const looks = fc.array(fc.record({ step: fc.nat(2), wait: fc.integer({ min: 1, max: 50 }) }), { maxLength: 40 });
    fc.assert(
      fc.property(looks, fc.nat(80), (steps, listed) => {
        const positions = new Positions();
        const seen: { txid: number; at: number }[] = [];
        for (const { step, wait } of steps) {
          const last = seen.at(-1) ?? { txid: 1, at: 0 };
          seen.push({ txid: last.txid + step, at: last.at + wait });
        }
        for (const one of seen) positions.observe(claim(one.txid, one.at));
        const covered = positions.coveredBy(listed);
        const truth = seen.filter((one) => one.txid <= listed).at(-1)?.at ?? null;
        expect(covered).toBe(truth);
      }),
    );
  });

  it("are not moved by a Litestream that looked after a heartbeat and did not see it", () => {
    const positions = new Positions();
    positions.observe(claim(5, 1000));
    positions.beaten({ epoch: 1, seq: 1, at: 2000 });
    expect(positions.observe(claim(5, 1990))).toBe(true);
    expect(positions.observe(claim(5, 5000))).toBe(false);
    expect(positions.time).toBe(1990);
    expect(positions.observe(claim(6, 6000))).toBe(true);
    expect(positions.coveredBy(6)).toBe(6000);
  });

  it("begin anew when a position goes back", () => {
    const positions = new Positions();
    positions.observe(claim(9, 100));
    positions.observe(claim(2, 200));
    expect(positions.coveredBy(9)).toBe(200);
    expect(positions.txid).toBe(2);
  });
});

describe("what a Litestream says on its socket", () => {
  const AT = "2026-11-21T21:03:17.362Z";
  let socket: string;
  let server: Server;
  let said: object;
  beforeEach(async () => {
    socket = join(folder, "1.sock");
    server = createServer((_, answer) => answer.end(JSON.stringify({ databases: [{ path: "/one.db", ...said }] })));
    server.listen(socket);
    await once(server, "listening");
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  it.each([
    ["a look that is over and found nothing new", { active: false, txid: 7, started_at: AT }, Date.parse(AT)],
    ["one that took something", { active: false, txid: 7, started_at: AT, wal_size: 4120 }, Date.parse(AT)],
    ["one that is under way, with the position it is to have", { active: true, txid: 8, started_at: AT }, null],
    ["one that took as much as it may: more is left", { txid: 7, started_at: AT, wal_size: 64 * 2 ** 20 }, null],
    [
      "one that took the whole database",
      { txid: 1, started_at: AT, wal_size: 80 * 2 ** 20, snapshotting: true },
      Date.parse(AT),
    ],
    ["one that failed", { active: false, txid: 8, started_at: AT, error: "disk full" }, null],
    ["one that found no database", { active: false, phase: "starting", started_at: AT }, null],
  ])("%s says until when all is in its position, or nothing", async (_, one, syncedAt) => {
    said = one;
    expect(await askLitestream(socket)).toEqual([expect.objectContaining({ path: "/one.db", syncedAt })]);
  });

  it("a look under way neither vouches for a heartbeat nor makes Litestream blind to it", async () => {
    const origin = new Origin(...originIn(folder), {
      beat: null,
      shipped: null,
      inode: null,
      data: null,
      healed: null,
    });
    const time = Date.parse(AT);
    const says = async (one: object, now: number) => {
      said = { started_at: new Date(now).toISOString(), ...one };
      origin.claimed((await askLitestream(socket))[0] ?? null, now);
    };
    await says({ txid: 5 }, time);
    origin.positions.beaten({ epoch: 1, seq: 1, at: time + 1000 });
    await says({ active: true, txid: 6 }, time + 2000);
    expect(origin.report).toMatchObject({ committed: { txid: 5, time }, claimedAt: time });
    // The heartbeat is in the batch that the look then writes: that its position is 6 is what was to be seen.
    await says({ txid: 6 }, time + 2000);
    expect(origin.blind).toBe(false);
    expect(origin.report).toMatchObject({ committed: { txid: 6, time: time + 2000 }, claimedAt: time + 2000 });
    // Sampled in the midst of a look for which there is nothing, it has one more than when that is over.
    await says({ active: true, txid: 7 }, time + 3000);
    origin.positions.beaten({ epoch: 1, seq: 2, at: time + 3500 });
    await says({ txid: 7 }, time + 4000);
    expect(origin.blind).toBe(false);
    origin.close();
  });
});

describe("what storage refuses", () => {
  const refused = new StorageError("refused", "It may not be listed.");
  let now: number;
  let list: () => Promise<readonly Blob[]>;
  let listing: Listing;
  beforeEach(() => {
    now = 1000;
    list = () => Promise.reject(refused);
    const storage: Pick<Storage, "label" | "list"> = { label: "the storage", list: () => list() };
    listing = new Listing(storage as Storage, () => now);
  });
  const read = () => listing.during("read", async () => "who may write");

  it("is not taken back by what it allows: a listing that is refused stays trouble while reading goes well", async () => {
    expect(await listing.look(1)).toBeNull();
    now = 2000;
    expect(await read()).toBe("who may write");
    expect(listing.trouble(0)).toMatchObject({ since: 1000, trouble: "refused" });
    expect(listing.refusal("read")).toBeNull();
    list = async () => [];
    expect(await listing.look(1)).not.toBeNull();
    expect(listing.trouble(0)).toBeNull();
  });

  it("is told oldest first, and since when", async () => {
    await listing.during("read", () => Promise.reject(new StorageError("slow", "No answer.")));
    now = 2000;
    await listing.look(1);
    now = 3000;
    await listing.look(1);
    expect(listing.trouble(0)).toMatchObject({ since: 1000, trouble: "slow" });
    await read();
    expect(listing.trouble(0)).toMatchObject({ since: 2000, trouble: "refused" });
  });

  it("of listings is forgotten when nothing is listed any more", async () => {
    await listing.look(1);
    listing.rest("list");
    expect(listing.trouble(0)).toBeNull();
  });
});

describe("who may write", () => {
  const truth = (owner: string, epoch: number, state: "primary" | "promoting" = "primary") => ({ owner, epoch, state });
  const anvil = { name: "anvil", role: "primary" } as const;
  const forge = { name: "forge", role: "standby" } as const;

  it.each([
    ["the owner", anvil, truth("anvil", 1), 0, { act: "primary", epoch: 1 }],
    ["a standby", forge, truth("anvil", 1), 1, { act: "standby", epoch: 1 }],
    ["a promoted standby", forge, truth("forge", 2), 1, { act: "primary", epoch: 2 }],
  ])("%s does its part", (_, host, object, newest, verdict) => {
    expect(decide({ host, truth: object, newest })).toEqual(verdict);
  });

  it.each([
    ["an old primary that comes back", anvil, truth("forge", 2), 1, /forge has been the primary since epoch 2/],
    ["one that is being promoted", forge, truth("forge", 2, "promoting"), 1, /being promoted to epoch 2/],
    ["one that finds another storage", anvil, truth("anvil", 1), 3, /not the storage it was/],
  ])("%s waits", (_, host, object, newest, why) => {
    expect(decide({ host, truth: object, newest })).toMatchObject({ act: "wait", why: expect.stringMatching(why) });
  });

  it("one that finds an earlier epoch names the epoch that helps, which is nobody's yet", () => {
    const { why } = decide({ host: anvil, truth: truth("anvil", 2), newest: 3 }) as { readonly why: string };
    expect(why).toContain('put {"epoch":4,"owner":"anvil","state":"primary"} into _alai/primary.json');
    expect(decide({ host: anvil, truth: truth("anvil", 4), newest: 3 })).toEqual({ act: "primary", epoch: 4 });
  });

  it("an owner that no host of the manifest is, is refused as what cannot be understood is", async () => {
    const text = JSON.stringify({ epoch: 3, owner: "gamma", state: "primary" });
    const storage = { label: "file", read: async () => ({ body: Buffer.from(text), etag: "1", modified: 0 }) };
    const asked = readPrimary(storage as unknown as Storage, manifestIn(folder));
    await expect(asked).rejects.toMatchObject({
      trouble: "failed",
      message: expect.stringMatching(/gamma is the primary, and the manifest has no host gamma .*anvil, forge/),
    });
  });

  it("no two hosts ever write, whatever storage says", () => {
    const object = fc.record({
      owner: fc.constantFrom("anvil", "forge", "other"),
      epoch: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom("primary" as const, "promoting" as const),
    });
    fc.assert(
      fc.property(object, fc.nat(4), fc.nat(4), (one, a, b) => {
        const acts = [decide({ host: anvil, truth: one, newest: a }), decide({ host: forge, truth: one, newest: b })];
        expect(acts.filter(({ act }) => act === "primary").length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("the state file", () => {
  it("keeps children, alarms and what is known of databases over a restart", () => {
    const file = join(folder, "deep", "agent.db");
    const one = new AgentState(file);
    one.keepChild({ name: "litestream-p0", pid: 7, born: "12", command: ["litestream", "replicate"] });
    one.keepAlarms([{ kind: "disk_low", subject: "/", since: 5, sentence: "full" }]);
    one.keep([{ name: "mc", kind: "beat", value: { epoch: 1, seq: 2, at: 3 } }]);
    // Not closed: a killed agent does not either.
    const other = new AgentState(file);
    expect(other.children()).toEqual([
      { name: "litestream-p0", pid: 7, born: "12", command: ["litestream", "replicate"] },
    ]);
    expect(other.alarms()).toEqual([{ kind: "disk_low", subject: "/", since: 5, sentence: "full" }]);
    expect(other.recall("mc", "beat")).toEqual({ epoch: 1, seq: 2, at: 3 });
    expect(other.recall("mc", "else")).toBeNull();
    one.close();
    other.close();
  });

  it("thins samples to the worst of an hour, and drops the oldest", () => {
    const state = new AgentState(join(folder, "agent.db"));
    const hour = 3_600_000;
    for (let minute = 0; minute < 180; minute++)
      state.addSamples(
        minute * 60_000,
        new Map([
          ["mc", minute % 60 === 7 ? 9000 : 100],
          ["gap", minute === 70 ? null : 1],
        ]),
      );
    state.prune(3 * hour, 0, 2 * hour);
    const left = state.samples(0);
    expect(left.filter(({ name }) => name === "mc").map(({ at, lag }) => [at / 60_000, lag])).toEqual([
      [67, 9000],
      [127, 9000],
    ]);
    // That nothing was known is worse than any number.
    expect(left.find(({ name, at }) => name === "gap" && at < 2 * hour)).toMatchObject({ lag: null });
    state.close();
  });
});

describe("small parts", () => {
  it("a process is told from another one of the same number by its start", async () => {
    const own = await lookAtProcess(process.platform, process.pid);
    expect(own?.born).toMatch(/\d/);
    expect(own?.command).toContain("node");
    expect(await lookAtProcess(process.platform, 2 ** 22 + 5)).toBeNull();
  });

  it("a log is put aside when it is long, three times", () => {
    const file = join(folder, "child.log");
    for (let round = 0; round < 6; round++) {
      writeFileSync(file, `round ${round} ${"x".repeat(100)}`, { flag: "a" });
      expect(rotate(file, 50)).toBe(true);
      expect(readFileSync(file)).toHaveLength(0);
    }
    expect(readFileSync(`${file}.1`, "utf8")).toContain("round 5");
    expect(readFileSync(`${file}.3`, "utf8")).toContain("round 3");
    expect(existsSync(`${file}.4`)).toBe(false);
    expect(rotate(file, 50)).toBe(false);
  });

  it("a log line is one line of JSON, whatever is in it", () => {
    const lines: string[] = [];
    createLog(
      (line) => lines.push(line),
      "1",
      () => 0,
    ).warn("a\nb", { kind: "x\u001b[31m" });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\n\u001b]/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", service: "alai-host-agent", message: "a\nb" });
  });

  it("the SQLite that last changed a database's first page is read from its header", async () => {
    const file = join(folder, "one.db");
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE t (x)");
    db.close();
    expect(await lastWriter(file)).toBe(process.versions.sqlite);
    expect(await lastWriter(join(folder, "none.db"))).toBeNull();
    const header = new Uint8Array(readFileSync(file)).slice(0, 100);
    new DataView(header.buffer).setUint32(96, 3_045_001);
    expect(versionIn(header)).toBe("3.45.1");
    expect(versionIn(header.subarray(0, 50))).toBeNull();
  });

  it("metrics leave out what is not known, and quote labels", () => {
    const report: HostReport = {
      ...{ host: 'an"vil', role: "primary", version: "1", at: 1, startedAt: 1, epoch: 1, manifestHash: "" },
      ...{ children: [], listedAt: null, storageTrouble: null },
      alarms: [{ kind: "child_died", subject: "a\nb", since: 1, sentence: "" }],
      databases: [
        {
          ...{
            name: "mc",
            shipped: null,
            applied: null,
            published: null,
            claimedAt: null,
            state: "ok",
            reseeds: 2,
            note: null,
          },
          committed: { txid: 7, beat: null, time: null, seenAt: 1 },
        },
      ],
    };
    const text = toMetrics(report, { memory: 5, operations: { list: 3 } });
    expect(text).toContain('alai_dr_head_txid{database="mc",head="committed"} 7\n');
    expect(text).not.toContain('head="shipped"');
    expect(text).not.toContain("storage_listed_seconds");
    expect(text).toContain('alai_dr_alarm{kind="child_died",subject="a\\nb"} 1');
    expect(text).toContain('host="an\\"vil"');
    for (const line of text.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) alai_dr_\w+ |alai_dr_\w+(\{.*\})? -?[\d.]+$)/);
  });
});
