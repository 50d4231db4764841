import { describe, expect, it } from "vitest";
import type { Database } from "../../../src/dr/manifest/model.ts";
import type { DatabaseReport, Head, Pending } from "../../../src/dr/report.ts";
import { settle, watch } from "../../../src/dr/watchdogs/all.ts";
import type { Watched, WatchedDatabase } from "../../../src/dr/watchdogs/watched.ts";

const NOW = 1_800_000_000_000;
const GIB = 2 ** 30;

const tier = {
  ...{
    name: "p0",
    order: 0,
    retention: 1,
    snapshotInterval: 1,
    syncInterval: 1000,
    heartbeat: 10_000,
    rpo: 60_000,
    follow: true,
  },
};
const database: Database = {
  ...{ name: "mc", path: "mc.db", tier, syncInterval: 1000, heartbeat: 10_000, follow: true },
  ...{ owner: null, size: null, sizeClass: "unknown", optional: false },
};
const head = (more: Partial<Head> = {}): Head => ({
  txid: 5,
  beat: { epoch: 1, seq: 3, at: NOW - 2000 },
  time: NOW - 2000,
  seenAt: NOW,
  ...more,
});
const report = (more: Partial<DatabaseReport> = {}): DatabaseReport => ({
  ...{ name: "mc", committed: null, shipped: head(), applied: null, published: null, claimedAt: NOW },
  ...{ state: "ok", reseeds: 0, note: null, ...more },
});
const one = (more: Partial<WatchedDatabase> = {}): WatchedDatabase => ({
  ...{
    database,
    report: report(),
    behindSince: null,
    working: false,
    beatTrouble: null,
    beatenAt: NOW - 2000,
    ...more,
  },
});

const quiet: Watched = {
  ...{ now: NOW, role: "primary", startedAt: NOW - 3_600_000, poll: 5000, listedAt: NOW - 1000, storageTrouble: null },
  ...{
    databases: [one({ report: report({ committed: head() }) })],
    children: [],
    volumes: [],
    aside: [],
    clocks: [],
    versions: [],
    daily: [],
  },
  ...{ epochSince: null, failedProofs: new Map() },
  proofs: new Map([["mc", NOW - 1000]]),
};
const standby: Watched = { ...quiet, role: "standby", databases: [one({ report: report({ applied: head() }) })] };

/** Kinds that fire. */
const fires = (watched: Watched) => watch(watched, []).alarms.map(({ kind }) => kind);
const withDatabase = (
  watched: Watched,
  more: Partial<WatchedDatabase>,
  said: Partial<DatabaseReport> = {},
): Watched => {
  const [first] = watched.databases;
  return { ...watched, databases: [one({ ...first, ...more, report: { ...report(), ...first?.report, ...said } })] };
};
const pending = (age: number, more: Partial<Pending> = {}) =>
  withDatabase(quiet, {}, { pending: { since: NOW - age, untaken: null, why: null, ...more } });
const child = (pid: number | null, diedAgo: number | null) => ({
  report: { name: "litestream-p0", pid, restarts: 1, startedAt: NOW, lastExit: "SIGKILL" },
  diedAgo,
});
const disk = (free: number, size: number) => ({ ...quiet, volumes: [{ path: "/data", free, size }] });
const clock = (ahead: number, give: number) => ({ ...quiet, clocks: [{ whose: "storage", ahead, give }] });
const runs = (of: "litestream" | "sqlite", version: string) => ({ ...quiet, versions: [{ of, version, who: "x" }] });
const daily = (problem: string | null, dueAt: number) => ({
  ...quiet,
  daily: [{ job: "drill" as const, pid: null, startedAt: null, endedAt: null, problem, dueAt, log: "/log" }],
});
const failedProof = { name: "mc", epoch: 1, at: NOW - 7_200_000, problem: "Page 3: never used\nPage 4: never used" };
const trouble = { since: NOW - 9000, message: "no" };
const DAY = 86_400_000;

/** What makes each one fire, and the nearest thing that does not. */
const absent = (more: Partial<DatabaseReport>) =>
  withDatabase(quiet, { database: { ...database, optional: true } }, { state: "missing", ...more });
const neverThere = absent({ hadData: false, shipped: null });

const CASES: readonly (readonly [kind: string, what: string, fires: Watched, calm: Watched])[] = [
  [
    "follower_stalled",
    "behind for longer than three looks",
    withDatabase(standby, { behindSince: NOW - 15_001 }),
    withDatabase(standby, { behindSince: NOW - 15_000 }),
  ],
  [
    "follower_stalled",
    "a restore that hangs",
    withDatabase(standby, { behindSince: NOW - 16 * 60_000, working: true }),
    withDatabase(standby, { behindSince: NOW - 60_000, working: true }),
  ],
  [
    "follower_stalled",
    "not while storage is silent",
    withDatabase({ ...standby, listedAt: NOW }, { behindSince: NOW - 60_000 }),
    withDatabase({ ...standby, storageTrouble: trouble }, { behindSince: NOW - 60_000 }),
  ],
  ["shipping_stalled", "commits that do not come up", pending(17_001), pending(16_999)],
  [
    "shipping_stalled",
    "commits that Litestream does not take up, whenever it was last listed",
    { ...pending(20_001, { untaken: NOW - 20_001 }), poll: 60_000 },
    { ...pending(20_001, { untaken: NOW - 1000 }), poll: 60_000 },
  ],
  [
    "shipping_stalled",
    "commits that Litestream says it cannot send",
    { ...pending(20_001, { why: "Litestream: read-only file system" }), poll: 60_000 },
    { ...pending(20_001), poll: 60_000 },
  ],
  [
    "shipping_stalled",
    "not by what is from before the agent was started",
    { ...pending(180_000), startedAt: NOW - 17_001 },
    { ...pending(180_000), startedAt: NOW - 700 },
  ],
  [
    "shipping_stalled",
    "a database that never came up",
    withDatabase(quiet, {}, { shipped: null }),
    withDatabase({ ...quiet, startedAt: NOW - 60_000 }, {}, { shipped: null }),
  ],
  ["daily_failed", "one that failed", daily("exit code 1", NOW), daily(null, NOW)],
  ["daily_failed", "one that waits for half a day", daily(null, NOW - DAY / 2 - 1), daily(null, NOW - DAY / 2)],
  ["child_died", "is down", { ...quiet, children: [child(null, 0)] }, { ...quiet, children: [child(7, null)] }],
  [
    "child_died",
    "died a moment ago",
    { ...quiet, children: [child(7, 29_000)] },
    { ...quiet, children: [child(7, 31_000)] },
  ],
  [
    "heartbeat_old",
    "cannot be written",
    withDatabase(quiet, { beatTrouble: "busy", beatenAt: NOW - 41_000 }),
    // Hours old, and found not to be needed a moment ago: nothing has changed.
    withDatabase(quiet, { beatenAt: NOW - 39_000 }, { committed: head({ beat: { epoch: 1, seq: 1, at: NOW - DAY } }) }),
  ],
  [
    "heartbeat_old",
    "came back too old",
    withDatabase(standby, {}, { applied: head({ beat: { epoch: 1, seq: 1, at: NOW - 61_000 } }) }),
    withDatabase(standby, {}, { applied: head({ beat: { epoch: 1, seq: 1, at: NOW - 59_000 } }) }),
  ],
  [
    "heartbeat_old",
    "and nobody has confirmed lately that nothing came after it",
    withDatabase(
      standby,
      {},
      { applied: head({ beat: { epoch: 1, seq: 1, at: NOW - DAY } }), proven: { until: NOW - 61_000, txid: 1 } },
    ),
    withDatabase(
      standby,
      {},
      { applied: head({ beat: { epoch: 1, seq: 1, at: NOW - DAY } }), proven: { until: NOW - 59_000, txid: 1 } },
    ),
  ],
  [
    "heartbeat_old",
    "never, though not empty",
    withDatabase(quiet, { beatenAt: null }, { committed: null }),
    withDatabase(quiet, { beatenAt: null }, { committed: null, state: "empty" }),
  ],
  ["damaged", "no database", withDatabase(quiet, {}, { state: "damaged" }), quiet],
  ["damaged", "missing", withDatabase(quiet, {}, { state: "missing" }), neverThere],
  ["damaged", "missing, which it may be, and in storage", absent({ hadData: false }), neverThere],
  ["damaged", "missing, which it may be, and had data", absent({ hadData: true, shipped: null }), neverThere],
  ["disk_low", "a twentieth of a small disk", disk(4 * GIB, 100 * GIB), disk(6 * GIB, 100 * GIB)],
  ["disk_low", "less than a GiB of any", disk(0.9 * GIB, 2 * GIB), disk(30 * GIB, 1000 * GIB)],
  ["clock_skew", "ahead", clock(2600, 1500), clock(2400, 1500)],
  ["clock_skew", "behind", clock(-1600, 500), clock(-1400, 500)],
  ["unsafe_version", "Litestream", runs("litestream", "0.5.16"), runs("litestream", "0.5.17")],
  ["unsafe_version", "SQLite", runs("sqlite", "3.51.2"), runs("sqlite", "3.51.3")],
  ["unsafe_version", "SQLite of an older line", runs("sqlite", "3.50.6"), runs("sqlite", "3.50.7")],
  ["storage", "refuses", { ...quiet, storageTrouble: trouble }, quiet],
  ["unproven", "never restored", { ...standby, proofs: new Map() }, standby],
  [
    "unproven",
    "not for 36 h",
    { ...standby, proofs: new Map([["mc", NOW - 1.5 * DAY - 1]]) },
    { ...standby, proofs: new Map([["mc", NOW - 1.5 * DAY]]) },
  ],
  [
    "unproven",
    "not for 36 h after another host took over",
    { ...standby, proofs: new Map(), epochSince: NOW - 1.5 * DAY - 1 },
    { ...standby, proofs: new Map(), epochSince: NOW - 1.5 * DAY },
  ],
  [
    "proof_failed",
    "on the host that tried it, whatever it is",
    { ...quiet, failedProofs: new Map([["mc", failedProof]]) },
    quiet,
  ],
];

describe("watchdogs", () => {
  it("are silent when all is well", () => {
    expect(watch(quiet, []).alarms).toEqual([]);
    expect(watch(standby, []).alarms).toEqual([]);
  });

  it.each(CASES)("%s: %s", (kind, _, bad, good) => {
    expect(fires(bad)).toContain(kind);
    expect(fires(good)).not.toContain(kind);
  });

  it.each(CASES)("%s, %s: calms down, and kept its beginning until then", (kind, _, bad, good) => {
    const first = watch(bad, []);
    expect(first.fired.map((alarm) => alarm.kind)).toContain(kind);
    const second = watch({ ...bad, now: bad.now + 1 }, first.alarms);
    expect(second.fired.filter((alarm) => alarm.kind === kind)).toEqual([]);
    expect(second.alarms.find((alarm) => alarm.kind === kind)?.since).toBe(bad.now);
    const third = watch(good, second.alarms);
    expect(third.calmed.map((alarm) => alarm.kind)).toContain(kind);
  });

  it("a failed proof is said with what failed, of its database", () => {
    expect(watch({ ...standby, failedProofs: new Map([["mc", failedProof]]) }, []).alarms).toEqual([
      {
        kind: "proof_failed",
        subject: "mc",
        since: NOW,
        sentence:
          "Its restore from storage failed 2 h ago: Page 3: never used (and 1 more). alai dr prove mc tries again.",
      },
    ]);
  });

  it("an alarm is told by its kind and what it is about", () => {
    const finding = { kind: "child_died", subject: "a", sentence: "1" } as const;
    const { alarms } = settle([finding, { ...finding, subject: "b" }], [{ ...finding, since: 3 }], 9);
    expect(alarms.map(({ subject, since }) => [subject, since])).toEqual([
      ["a", 3],
      ["b", 9],
    ]);
  });
});
