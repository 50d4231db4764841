import { describe, expect, it } from "vitest";
import { hexTxid, type LtxFile } from "../../../src/dr/ltx/name.ts";
import type { Database, Host, Manifest } from "../../../src/dr/manifest/model.ts";
import type { Proofs } from "../../../src/dr/prove/history.ts";
import type { DatabaseReport, Head, HostReport } from "../../../src/dr/report.ts";
import { assess } from "../../../src/dr/status/assess.ts";
import type { HostLook, Look } from "../../../src/dr/status/collect.ts";
import { headline } from "../../../src/dr/status/headline.ts";
import { heatMap } from "../../../src/dr/status/heat.ts";
import { toHtml } from "../../../src/dr/status/html.ts";
import { toJson } from "../../../src/dr/status/json.ts";
import { judge, type Question } from "../../../src/dr/status/judge.ts";
import { toLines } from "../../../src/dr/status/lines.ts";
import { plot, worst } from "../../../src/dr/status/plot.ts";
import { whyNotRestorable } from "../../../src/dr/status/restorable.ts";
import { notGreen, toScreen, worstFirst } from "../../../src/dr/status/screen.ts";
import type { Status } from "../../../src/dr/status/status.ts";
import { PLAIN } from "../../../src/kit/style.ts";

const NOW = 1_800_000_000_000;
const tier = (name: string, order: number) => ({
  ...{
    name,
    order,
    retention: 1,
    snapshotInterval: 1,
    syncInterval: 1000,
    heartbeat: 10_000,
    rpo: 60_000,
    follow: true,
  },
});
const database = (name = "mc", more: Partial<Database> = {}): Database => ({
  ...{ name, path: `${name}.db`, tier: tier("p0", 0), syncInterval: 1000, heartbeat: 10_000, follow: true },
  ...{ owner: null, size: null, sizeClass: "unknown", optional: false, ...more },
});
const head = (txid: number | null, age: number | null, seq = 3): Head => ({
  ...{
    txid,
    beat: age === null ? null : { epoch: 1, seq, at: NOW - age },
    time: age === null ? null : NOW - age,
    seenAt: NOW,
  },
});
const report = (more: Partial<DatabaseReport> = {}): DatabaseReport => ({
  ...{ name: "mc", committed: null, shipped: null, applied: null, published: more.applied ?? null, claimedAt: null },
  ...{ state: "ok", reseeds: 0, note: null, ...more },
});
const primary = report({ committed: head(9, 1000), shipped: head(8, 4000), claimedAt: NOW });
const standby = report({ applied: head(9, 2000) });
const question = (more: Partial<Question> = {}): Question => ({
  ...{ database: database(), primary, standby, listed: 9, listedAt: NOW, epoch: 1, now: NOW, provenAt: NOW - 1000 },
  ...{
    failedProof: null,
    epochSince: null,
    hadRows: false,
    broken: null,
    hasStandby: true,
    everywhere: [],
    alarms: [],
    ...more,
  },
});

/** Planned as empty, and covered: Litestream's own tables are in storage. */
const empty = (more: Partial<Question> = {}) =>
  question({
    database: database("mc", { size: 0, sizeClass: "empty" }),
    primary: report({ state: "empty", committed: head(9, null), shipped: head(9, null), hadData: false }),
    standby: report({ applied: head(9, null) }),
    ...more,
  });
const absent = (more: Partial<Question> = {}) =>
  question({
    database: database("mc", { optional: true }),
    primary: report({ state: "missing", hadData: false }),
    ...{ standby: null, listed: 0, provenAt: null },
    ...more,
  });

describe("what proves that a database is safe", () => {
  it("a heartbeat that came back out of storage", () => {
    expect(judge(question())).toMatchObject({
      level: "ok",
      evidence: "A",
      rpo: 1000,
      ...{ shipLag: 0, copyLag: 0, applyLag: 0 },
      reasons: [],
    });
  });

  it("the same, hours old, where the copy has the newest heartbeat and the newest position: nothing was committed since", () => {
    const old = { epoch: 1, seq: 3, at: NOW - 3_600_000 };
    const committed = { txid: 9, beat: old, time: NOW - 500, seenAt: NOW };
    const applied = { txid: 9, beat: old, time: NOW - 3_600_000, seenAt: NOW };
    const same = question({ primary: report({ committed }), standby: report({ applied }) });
    expect(judge(same)).toMatchObject({ level: "ok", evidence: "A", rpo: 500 });
    // Something came after it that the copy has not, and storage neither.
    const behind = question({
      listed: 9,
      primary: report({ committed: { ...committed, txid: 10 } }),
      standby: report({ applied }),
    });
    expect(judge(behind)).toMatchObject({ level: "breached" });
  });

  it("the position in a listing, where no heartbeat is", () => {
    expect(judge(question({ standby: report({ applied: head(9, null) }) }))).toMatchObject({
      level: "ok",
      evidence: "B",
      rpo: 1000,
    });
    const behind = question({ standby: report({ applied: head(8, null) }), listed: 8 });
    expect(judge(behind)).toMatchObject({ evidence: "B", rpo: 4000, shipLag: 3000 });
  });

  it("Litestream's word is no proof", () => {
    const said = question({ primary: report({ claimedAt: NOW }), standby: null, listed: 9, hasStandby: false });
    const status = judge(said);
    expect(status).toMatchObject({ level: "unproven", evidence: "C", rpo: null });
    expect(status.reasons.join()).toContain("UNPROVEN");
  });

  it("no data is unknown", () => {
    expect(judge(question({ primary: null, standby: null, listed: null }))).toMatchObject({
      level: "unknown",
      evidence: null,
    });
    expect(judge(question({ primary: report(), standby: report(), listed: 4 }))).toMatchObject({ level: "unknown" });
  });

  it("what storage has lost since proves nothing any more", () => {
    const gone = question({ listed: 0, listedAt: NOW + 1, primary: report({ ...primary, claimedAt: null }) });
    expect(judge(gone)).toMatchObject({ level: "unknown", evidence: null });
    expect(judge({ ...gone, listed: 7 })).toMatchObject({ level: "unknown" });
  });

  it("a heartbeat of another epoch, or of the future, proves nothing", () => {
    const other = { ...standby, applied: { txid: 9, beat: { epoch: 2, seq: 1, at: NOW }, time: NOW, seenAt: NOW } };
    expect(judge(question({ primary: null, standby: other }))).toMatchObject({ level: "unknown" });
    const future = { ...standby, applied: head(9, -5000) };
    expect(judge(question({ primary: null, standby: future }))).toMatchObject({ level: "unknown" });
  });
});

describe("what makes it worse", () => {
  it.each<[string, Partial<Question>, string, RegExp]>([
    [
      "too old",
      { primary: null, standby: report({ applied: head(9, 61_000) }) },
      "breached",
      /61 s old; p0 allows 60 s/,
    ],
    ["never restored", { provenAt: null }, "breached", /never been restored/],
    ["not restored for 36 h", { provenAt: NOW - 37 * 3_600_000 }, "breached", /37 h ago|2 d ago/],
    [
      "the last restore failed",
      { failedProof: { at: NOW - 500, problem: "*** in database main ***\nPage 3: never used\nPage 4: never used" } },
      "breached",
      /was tried failed .+: Page 3: never used \(and 1 more\)$/,
    ],
    ["missing", { primary: { ...primary, state: "missing" } }, "breached", /missing/],
    ["damaged", { primary: { ...primary, state: "damaged" } }, "breached", /cannot be read/],
    ["no way in storage from nothing", { broken: "Storage cannot restore it." }, "breached", /cannot restore it/],
    ["nothing of it in the listing, whatever agents saw", { listed: 0 }, "breached", /lists nothing of it/],
    ["storage silent", { everywhere: ["Storage cannot be listed: x"], listed: null }, "degraded", /cannot be listed/],
    ["no copy", { standby: null }, "degraded", /No standby/],
    ["a copy that is being made", { standby: { ...standby, state: "seeding" } }, "degraded", /not ready/],
    ["an alarm", { alarms: ["Look."] }, "degraded", /Look/],
  ])("%s", (_, more, level, reason) => {
    const status = judge(question(more));
    expect(status.level).toBe(level);
    expect(status.reasons.join(" ")).toMatch(reason);
  });

  describe("the lag of the copy is of what readers get", () => {
    const behind = { txid: 7, beat: null, time: NOW - 400_000, seenAt: NOW };
    const lacking = (since: number | null, more: Partial<DatabaseReport> = {}) =>
      report({ ...standby, published: behind, readers: { behindSince: since, trouble: null, lasted: 9 }, ...more });
    const said = (one: DatabaseReport, more: Partial<Question> = {}) => judge(question({ standby: one, ...more }));

    it("not of the working copy, which has it all; written for the last time long before, it is as old as what is lacking", () => {
      expect(said(lacking(NOW - 20_000))).toMatchObject({ level: "ok", copyLag: 20_000, applyLag: 0 });
      expect(said(lacking(NOW - 900_000))).toMatchObject({ copyLag: 400_000, level: "degraded" });
    });

    it("and said when it is more than publishing may take", () => {
      const late = said(lacking(NOW - 301_000));
      expect(late).toMatchObject({ level: "degraded", copyLag: 301_000, applyLag: 0, rpo: 1000 });
      expect(late.reasons).toEqual(["What readers on the standby get is 301 s behind storage."]);
      expect(said(lacking(NOW - 299_000)).level).toBe("ok");
      expect(said(lacking(NOW - 301_000), { readersPatience: 302_000 }).level).toBe("ok");
      // All of the fleet are published one after the other.
      const slow = looks(forge, [lacking(NOW - 301_000), { ...standby, name: "other", readers: slowly }]);
      expect(at([looks(anvil, [primary]), slow]).databases[0]).toMatchObject({ level: "ok", copyLag: 301_000 });
    });
    const slowly = { behindSince: null, trouble: null, lasted: 60_000 };

    it("where the working copy is behind as well, of both; nothing at all for readers is said", () => {
      const both = lacking(NOW - 1000, { applied: { ...head(8, 70_000) } });
      const { applyLag, copyLag, reasons } = said(both);
      expect({ applyLag, copyLag }).toEqual({ applyLag: 70_000, copyLag: 400_000 });
      expect(reasons.join()).toContain("The standby's working copy is 70 s behind storage.");
      const none = said({ ...standby, published: null });
      expect(none).toMatchObject({ level: "degraded", copyLag: null, applyLag: 0 });
      expect(none.reasons).toEqual(["Readers on the standby have no copy yet."]);
    });

    it("of a database that was idle for hours is not hours when something comes", () => {
      const idle = { txid: 8, beat: null, time: NOW - 9_000_000, seenAt: NOW - 3000 };
      const one = report({ applied: idle, shipped: idle });
      expect(said(one)).toMatchObject({ copyLag: 3000, applyLag: 3000 });
      // The standby has seen it and does not move.
      expect(said({ ...one, shipped: { ...idle, txid: 9 } })).toMatchObject({ level: "degraded", applyLag: 9_000_000 });
    });

    it("for people, in lines and in JSON, which has the working copy's beside it", () => {
      const whole = at([looks(anvil, [primary]), looks(forge, [lacking(NOW - 20_000)])]);
      expect(toLines(whole)[0]).toMatchObject({ copyLag: 20_000 });
      expect(toJson(whole)).toMatchObject({
        databases: [{ copy_lag_ms: 20_000, working_copy_lag_ms: 0, applied: { txid: 9 }, published: { txid: 7 } }],
      });
      expect(toHtml(whole, [], NOW)).toContain('<td class="n">20 s</td>');
    });
  });

  it("a failed restore that a good one followed is past, on whatever host it was", () => {
    const failed = { name: "mc", epoch: 1, at: NOW - 2000, problem: "x" };
    const well = at([looks(anvil, [primary]), looks(forge, [standby], { failedProofs: [failed] })]);
    expect(well.level).toBe("ok");
    const later = { failedProofs: [{ ...failed, at: NOW + 1 }] };
    const bad = at([looks(anvil, [primary]), looks(forge, [standby], later)], stored, later.failedProofs);
    expect(bad.databases[0]?.breaches).toEqual(["proof_failed"]);
  });

  it("after a takeover proofs of the epoch before do not count: said at once, red after 36 h", () => {
    const took = (hours: number) => judge(question({ provenAt: null, epochSince: NOW - hours * 3_600_000 }));
    expect(took(3)).toMatchObject({ level: "degraded", breaches: [] });
    expect(took(3).reasons[0]).toMatch(/not been restored .+ since another host took over 3 h ago; .+ within 2 d|36 h/);
    expect(took(37)).toMatchObject({ level: "breached", breaches: ["not_proven"] });
    expect(took(37).reasons[0]).toMatch(/since another host took over/);
  });

  it("a proof of before a replica was begun anew is none of what is there now: said at once, red after 36 h", () => {
    const begun = (ago: number, more: Partial<HostReport> = {}) => {
      const report = { ...primary, begunAt: NOW - ago };
      const good = [{ name: "mc", epoch: 1, txid: 9, at: NOW - 40 * 3_600_000 }];
      const look = { at: NOW, hosts: [looks(anvil, [report], more), looks(forge, [standby])], storage: stored };
      return assess(manifest([database()]), look, { good, failed: [] }).databases[0];
    };
    expect(begun(3_600_000)).toMatchObject({ level: "degraded", provenAt: null, breaches: [] });
    expect(begun(3_600_000)?.reasons.join()).toMatch(/not been restored .+ since its replica was begun anew 1 h ago/);
    expect(begun(37 * 3_600_000)).toMatchObject({ level: "breached", breaches: ["not_proven"] });
    // The storage itself is another one since.
    expect(begun(45 * 3_600_000, { storageSince: NOW - 1000 })).toMatchObject({ level: "degraded", provenAt: null });
    const later = at([
      looks(anvil, [{ ...primary, begunAt: NOW - 1 }], { storageSince: NOW }),
      looks(forge, [standby]),
    ]);
    expect(later.level).toBe("ok");
  });

  it("proofs count for the primary's epoch alone", () => {
    const second = { ...stored, epoch: 2, epochSince: NOW - 40 * 3_600_000 };
    const of2 = (one: HostLook): HostLook =>
      one.answered ? { ...one, answered: { ...one.answered, value: { ...one.answered.value, epoch: 2 } } } : one;
    const beat = { epoch: 2, seq: 3, at: NOW - 1000 };
    const head2 = { ...head(9, 1000), beat };
    const fleet = [
      looks(anvil, [report({ committed: head2, claimedAt: NOW })]),
      looks(forge, [report({ applied: head2 })]),
    ];
    const good = (epoch: number) => [{ name: "mc", epoch, txid: 9, at: NOW - 1000 }];
    const failed = [{ name: "mc", epoch: 1, at: NOW, problem: "x" }];
    const whole = (epoch: number) =>
      assess(
        manifest([database()]),
        { at: NOW, hosts: fleet.map(of2), storage: second },
        { good: good(epoch), failed },
      );
    expect(whole(1).databases[0]).toMatchObject({ level: "breached", breaches: ["not_proven"], provenAt: null });
    expect(whole(2).databases[0]).toMatchObject({ level: "ok", provenAt: NOW - 1000 });
  });

  it("what SQLite says in many lines is one, with a count", () => {
    const pages = Array.from({ length: 12 }, (_, page) => `Page ${page + 2}: never used`).join("\n");
    const note = `The working copy is no sound database: *** in database main ***\n${pages}.`;
    const { reasons } = judge(question({ standby: { ...standby, state: "quarantined", note } }));
    expect(reasons).toEqual([
      "The standby's copy is not ready: The working copy is no sound database: Page 2: never used (and 11 more)",
    ]);
  });

  it("what a standby restored just now, and is no sound database, is breached at once, however new the last proof is", () => {
    const unsound = "What storage has of mc is no sound database: Page 3: never used.";
    const copy = { ...standby, state: "quarantined" as const, note: unsound, unsound };
    const status = judge(question({ standby: copy }));
    expect(status).toMatchObject({ level: "breached", breaches: ["unrestorable"] });
    expect(status.reasons).toEqual([`Storage cannot restore it: ${unsound}`]);
  });

  it("an alarm that a proof of since refutes is not told any more, although the agent has not looked again", () => {
    const alarm = (kind: "unproven" | "proof_failed", since: number) => ({ kind, subject: "mc", since, sentence: "x" });
    const alarms = [alarm("unproven", NOW - 9000), alarm("proof_failed", NOW - 1)];
    const look = { at: NOW, hosts: [looks(anvil, [primary]), looks(forge, [standby], { alarms })], storage: stored };
    const status = assess(manifest([database()]), look, {
      good: [{ name: "mc", epoch: 1, txid: 9, at: NOW - 1000 }],
      failed: [],
    });
    expect(status.hosts[1]?.alarms).toEqual([alarms[1]]);
  });

  it("ship lag is the age of the oldest commit that is not in storage, however little Litestream says", () => {
    const lag = (
      pending: DatabaseReport["pending"],
      more: Partial<Question> = {},
      said: Partial<DatabaseReport> = {},
    ) => judge(question({ primary: { ...primary, ...said, pending: pending ?? null }, ...more })).shipLag;
    const pending = { since: NOW - 21_000, untaken: null, why: null };
    // All that it has taken up is in the listing of just now.
    expect(lag(pending)).toBe(0);
    expect(lag({ ...pending, untaken: NOW - 8000 })).toBe(8000);
    // It has not come up, and nobody knows how far the one that was there covers.
    expect(lag(pending, { listed: 8 }, { shipped: head(8, null) })).toBe(21_000);
    expect(lag(pending, { listed: null })).toBe(21_000);
    // It was started anew, and has not said where it is.
    expect(lag(pending, {}, { committed: { ...head(9, 1000), txid: null, time: null } })).toBe(21_000);
  });

  it("what is empty and always was, or may be missing and never was there, is neither green nor wrong", () => {
    expect(judge(empty()).level).toBe("empty");
    expect(judge(absent()).level).toBe("empty");
    // Storage does not answer, and the primary's own listing had nothing.
    expect(judge(absent({ listed: null, listedAt: null })).level).toBe("empty");
    expect(judge(empty({ provenAt: null, database: database("mc", { sizeClass: "unknown" }) })).level).toBe("empty");
  });

  it.each<[string, Partial<Question>]>([
    ["in storage, read back", { standby }],
    ["by what the agent knows", { primary: report({ state: "empty", committed: head(9, null), hadData: true }) }],
    ["when its last heartbeat was written", { primary: report({ state: "empty", committed: head(9, 1000) }) }],
    ["at a proof", { hadRows: true }],
  ])("what had data %s, and is empty, is lost, whatever the manifest plans", (_, more) => {
    const lost = judge(empty(more));
    expect(lost).toMatchObject({ level: "breached", breaches: expect.arrayContaining(["damaged"]) });
    expect(lost.reasons).toContain("The file on the primary is empty, and it had data before.");
  });

  it.each<[string, Partial<Question>]>([
    ["storage lists", { listed: 9 }],
    [
      "storage listed when it last answered",
      { listed: null, primary: report({ state: "missing", shipped: head(8, 4000) }) },
    ],
    ["was proven", { provenAt: NOW - 1000 }],
    ["a proof of an earlier epoch had rows of", { hadRows: true }],
    ["the agent knows", { primary: report({ state: "missing", hadData: true }) }],
  ])("what may be missing, and %s, is missing", (_, more) => {
    expect(judge(absent(more))).toMatchObject({ level: "breached", breaches: expect.arrayContaining(["missing"]) });
  });

  it("a restore that failed is said of one that is empty, too", () => {
    const failedProof = { at: NOW - 500, problem: "Storage has nothing of it." };
    expect(judge(empty({ failedProof }))).toMatchObject({ level: "breached", breaches: ["proof_failed"] });
    expect(judge(empty({ failedProof, provenAt: NOW })).level).toBe("empty");
  });
});

const ltx = (min: number, max: number, level = 0): LtxFile => ({
  ...{ key: `e1/mc/ltx/${level}/${hexTxid(min)}-${hexTxid(max)}.ltx`, level, min, max, size: 100, time: NOW },
});

describe("whether a listing can restore what it shows", () => {
  it.each<[string, LtxFile[], RegExp | null]>([
    ["from the first transaction on", [ltx(1, 1), ltx(2, 3)], null],
    ["from a snapshot", [ltx(1, 7, 9), ltx(8, 8), ltx(9, 9)], null],
    ["only what came after storage was emptied", [ltx(8, 8), ltx(9, 9)], /no whole image/],
    ["a hole before the newest", [ltx(1, 5, 9), ltx(6, 6), ltx(8, 9)], /to transaction 9: .+ after transaction 6/],
  ])("%s", (_, files, why) => {
    const said = whyNotRestorable(files);
    if (why === null) expect(said).toBeNull();
    else expect(said).toMatch(why);
  });
});

const hosts: Host[] = (["primary", "standby"] as const).map((role) => ({
  ...{ name: role === "primary" ? "anvil" : "forge", role, user: "a", os: "linux" as const },
  ...{ databases: "/d", state: "/s", addresses: ["10.0.0.1"], port: 1 },
}));
const manifest = (databases: readonly Database[]) => ({ hosts, hash: "h", databases }) as unknown as Manifest;
const looks = (host: Host, databases: readonly DatabaseReport[], more: Partial<HostReport> = {}): HostLook => ({
  host,
  trouble: null,
  answered: {
    ...{ address: "10.0.0.1", sent: NOW, back: NOW },
    value: {
      ...{
        host: host.name,
        role: host.role,
        version: "1",
        at: NOW,
        startedAt: 0,
        epoch: 1,
        manifestHash: "h",
        databases,
      },
      ...{ children: [], alarms: [], listedAt: NOW, storageTrouble: null, ...more },
    },
  },
});
const silent = (host: Host): HostLook => ({ host, answered: null, trouble: "10.0.0.1: ECONNREFUSED" });
const stored = {
  ...{ label: "Azure", epoch: 1, owner: "anvil", epochSince: null, listedAt: NOW, trouble: null },
  ...{ newest: new Map([["mc", 9]]), broken: new Map<string, string>() },
};
const noStorage = {
  ...{
    label: "Azure",
    epoch: null,
    owner: null,
    epochSince: null,
    listedAt: null,
    newest: null,
    broken: new Map<string, string>(),
  },
  trouble: "no answer",
};
const proven = (names: readonly string[]): Proofs => ({
  good: names.map((name) => ({ name, epoch: 1, txid: 9, at: NOW })),
  failed: [],
});
const [anvil, forge] = hosts as [Host, Host];
const at = (hostLooks: HostLook[], storage: Look["storage"] = stored, failed: Proofs["failed"] = []) =>
  assess(manifest([database()]), { at: NOW, hosts: hostLooks, storage }, { ...proven(["mc"]), failed });

describe("the whole", () => {
  it.each<[string, Status, string]>([
    ["all is well", at([looks(anvil, [primary]), looks(forge, [standby])]), "ok"],
    ["the standby is silent", at([looks(anvil, [primary]), silent(forge)]), "degraded"],
    ["the primary is silent", at([silent(anvil), looks(forge, [standby])]), "degraded"],
    ["storage is silent", at([looks(anvil, [primary]), looks(forge, [standby])], noStorage), "degraded"],
    [
      "an agent has an alarm of its own",
      at([
        looks(anvil, [primary], { alarms: [{ kind: "disk_low", subject: "/", since: 1, sentence: "full" }] }),
        looks(forge, [standby]),
      ]),
      "degraded",
    ],
    [
      "an agent runs with another manifest",
      at([looks(anvil, [primary], { manifestHash: "x" }), looks(forge, [standby])]),
      "degraded",
    ],
    [
      "the primary is fenced",
      at([looks(anvil, [], { epoch: 0, waiting: "forge is the primary" }), looks(forge, [standby])]),
      "degraded",
    ],
    [
      "a report of another epoch",
      at([looks(anvil, [primary], { epoch: 2 }), looks(forge, [standby], { epoch: 2 })]),
      "unknown",
    ],
    [
      "a database whose newest is there and cannot be restored",
      at([looks(anvil, [primary]), looks(forge, [standby])], { ...stored, broken: new Map([["mc", "No way."]]) }),
      "breached",
    ],
    ["everybody is silent", at([silent(anvil), silent(forge)], noStorage), "unknown"],
  ])("%s", (_, status, level) => {
    expect(status.level).toBe(level);
  });

  it("who writes after a takeover storage says: there are no two primaries", () => {
    const over = { ...stored, epoch: 2, owner: "forge" };
    const [old, now] = at([silent(anvil), looks(forge, [standby], { epoch: 2, role: "primary" })], over).hosts;
    expect([old?.role, now?.role, now?.trouble]).toEqual(["standby", "primary", null]);
    expect(old?.trouble).toMatch(/^forge writes since epoch 2; anvil is the primary in the manifest only\. /);
    expect(at([silent(anvil), looks(forge, [standby])]).hosts[0]).toMatchObject({ role: "primary" });
  });

  it("is as its worst database: what is known to be wrong before what is not known", () => {
    const two = manifest([database("mc"), database("x")]);
    // Of x nobody knows anything; mc has no copy, and so is degraded.
    const whole = (names: readonly string[]) =>
      assess(two, { at: NOW, hosts: [looks(anvil, [primary]), silent(forge)], storage: stored }, proven(names));
    expect(whole(["mc", "x"])).toMatchObject({
      level: "unknown",
      databases: [{ level: "degraded" }, { level: "unknown" }],
    });
    expect(whole(["x"])).toMatchObject({ level: "breached", databases: [{ level: "breached" }, { level: "unknown" }] });
  });

  it("ages are by the primary's clock: one that is ahead does not make data look younger", () => {
    const ahead = looks(anvil, [report({ committed: head(9, 0), claimedAt: NOW })], { at: NOW + 30_000 });
    const status = at([ahead, looks(forge, [standby])]);
    expect(status.databases[0]?.rpo).toBe(30_000);
    expect(status.hosts[0]?.clockAhead).toBe(30_000);
  });
});

describe("what is shown", () => {
  const names = Array.from({ length: 69 }, (_, number) => `db-${number}`);
  const many = manifest(names.map((name, number) => database(name, { tier: tier(number < 17 ? "p0" : "p1", number) })));
  const reports = (make: (name: string, number: number) => DatabaseReport) => names.map(make);
  const status = assess(
    many,
    {
      at: NOW,
      hosts: [
        looks(
          anvil,
          reports((name, number) => ({
            ...primary,
            name,
            state: number === 3 ? "empty" : "ok",
            committed: number === 5 ? null : head(9, number === 3 ? null : 1000),
            shipped: null,
          })),
        ),
        looks(
          forge,
          reports((name, number) => ({
            ...standby,
            name,
            applied: number === 4 ? head(8, 99_000, 2) : head(9, number === 3 || number === 5 ? null : 1000),
          })),
        ),
      ],
      storage: { ...stored, newest: new Map(names.map((name, number) => [name, number === 4 ? 8 : 9])) },
    },
    proven(names),
  );

  it("a heat map by letters: one cell a database, grouped by tier", () => {
    const lines = heatMap(status, PLAIN, 200).split("\n");
    expect(lines[0]).toBe(`p0  A A A · X C ${Array(11).fill("A").join(" ")}`);
    expect(lines[1]).toBe(`p1  ${Array(52).fill("A").join(" ")}`);
    for (const line of heatMap(status, PLAIN, 40).split("\n")) expect(line.length).toBeLessThanOrEqual(40);
  });

  it("what is not green, worst first, and the headline", () => {
    expect(notGreen(status).map(({ name, level }) => [name, level])).toEqual([
      ["db-4", "breached"],
      ["db-5", "unproven"],
    ]);
    expect(toScreen(status, PLAIN, 100)).toContain("storage Azure, epoch 1 (anvil writes): listed just now");
    expect(toScreen(status, PLAIN, 100)).toContain("Lost at most, were the primary gone now: 99 s (db-4)");
  });

  it("every database as a row: those that are not green first, none left out", () => {
    const rows = worstFirst(status).map(({ name }) => name);
    expect(rows.slice(0, 3)).toEqual(["db-4", "db-5", "db-0"]);
    expect(rows.toSorted()).toEqual(names.toSorted());
  });

  it("the headline counts what is wrong, and says of what kind", () => {
    expect(headline(status)).toBe("Breached: 1 of 69 databases: 1 older in storage than the tier allows.");
    const two = assess(
      manifest([database()]),
      { at: NOW, hosts: [looks(anvil, [{ ...primary, state: "missing" }]), looks(forge, [standby])], storage: stored },
      proven([]),
    );
    expect(headline(two)).toBe(
      "Breached: 1 of 1 databases: 1 missing on the primary, 1 without a checked restore for 36 h.",
    );
    expect(headline(at([silent(anvil), silent(forge)], noStorage))).toMatch(
      /^It is not known whether the data of 1 of 1 databases is safe/,
    );
    expect(headline(at([looks(anvil, [primary]), silent(forge)]))).toMatch(/with 1 of 1 databases/);
  });

  it("lines of a pipe name what is wrong elsewhere too", () => {
    const sentence = "SQLite 3.45.0 of the last writer of mc can damage a database.";
    const alarm = { kind: "unsafe_version", subject: "the last writer of mc", since: 1, sentence } as const;
    const lines = toLines(at([looks(anvil, [primary], { alarms: [alarm] }), silent(forge)], noStorage));
    expect(lines.map(({ kind, level, name, reasons }) => [kind, level, name, reasons[0]])).toEqual([
      ["database", "degraded", "mc", expect.any(String)],
      ["alarm", "degraded", "anvil", `unsafe_version: ${sentence}`],
      ["host", "degraded", "forge", "It does not answer: 10.0.0.1: ECONNREFUSED"],
      ["storage", "degraded", "storage", "no answer"],
    ]);
    expect(toLines(at([looks(anvil, [primary]), looks(forge, [standby])])).map(({ kind }) => kind)).toEqual([
      "database",
    ]);
  });

  it("JSON with times as ISO 8601 and lengths in ms", () => {
    const json = toJson(status) as { databases: Record<string, unknown>[]; at: string };
    expect(json.at).toBe(new Date(NOW).toISOString());
    expect(json.databases).toHaveLength(69);
    expect(json.databases[0]).toMatchObject({
      level: "ok",
      evidence: "A",
      rpo_ms: 1000,
      limit_ms: 60_000,
      ship_lag_ms: 0,
    });
  });

  it("a page that needs nothing from elsewhere, and takes nothing for markup", () => {
    const samples = Array.from({ length: 60 }, (_, minute) => ({
      at: NOW - minute * 60_000,
      name: "db-0",
      lag: minute === 9 ? null : 1000,
    })).reverse();
    const evil = { ...status, storage: { ...status.storage, label: '<script>alert("x")</script>' } };
    const html = toHtml(evil, [{ host: "anvil", samples }], NOW - 3_600_000);
    expect(html).not.toMatch(/<script|<link|@import|url\(|src=|href=|https?:/);
    expect(html).toContain("&lt;script&gt;");
    expect(html.match(/<span class="(ok|breached|unproven|empty)" title/g)).toHaveLength(69);
    expect(html).toContain("prefers-color-scheme:dark");
    expect(html).toContain("<svg");
  });

  it("in its first minutes a page says when the history begins; a single point is a dot that can be seen", () => {
    const page = (samples: readonly { at: number; lag: number | null }[]) =>
      toHtml(status, [{ host: "anvil", samples: samples.map((one) => ({ ...one, name: "db-0" })) }], NOW - 86_400_000);
    expect(page([])).toContain("No history yet. The agent keeps a point a minute: the first at 2027-01-15 08:01 UTC");
    expect(page([])).not.toContain("<svg");
    const unknown = page([{ at: NOW - 60_000, lag: null }]);
    expect(unknown).toContain("Nothing is known of any moment since 2027-01-15 07:59 UTC");
    const one = page([{ at: NOW - 60_000, lag: 1000 }]);
    expect(one).toContain("the first point is of 2027-01-15 07:59 UTC");
    // The newest of five minutes, not of a day: at four fifths of the width.
    const [, x] = /<path class="line0" d="M([\d.]+) [\d.]+h0"/.exec(one) ?? [];
    expect(Number(x)).toBeCloseTo(64 + 0.8 * 796, 0);
    expect(one).toContain("stroke-linecap:round");
    const down = { ...status, hosts: status.hosts.map((host) => ({ ...host, answers: false })) };
    expect(toHtml(down, [], NOW - 1000).match(/No history: its agent does not answer/g)).toHaveLength(2);
  });

  it("a plot has a gap where nothing is known, and none elsewhere", () => {
    const points = worst(
      [0, 1, 2, 3].flatMap((n) => [
        { at: n * 60_000, name: "a", lag: n === 2 ? null : 10 * n },
        { at: n * 60_000, name: "b", lag: 5 },
      ]),
    );
    expect(points.map(({ lag }) => lag)).toEqual([5, 10, null, 30]);
    const path = /<path class="line0" d="([^"]*)"/.exec(
      plot([{ label: "", colour: 0, points }], 0, 180_000, 1000),
    )?.[1];
    expect(path?.match(/[ML]/g)?.join("")).toBe("MLM");
    expect(path).not.toContain("NaN");
  });
});
