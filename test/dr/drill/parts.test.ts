import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { compare } from "../../../src/dr/drill/compare.ts";
import { compose, type Measured } from "../../../src/dr/drill/compose.ts";
import { verdictOf, weigh } from "../../../src/dr/drill/findings.ts";
import { readDrills, writeDrill } from "../../../src/dr/drill/history.ts";
import { toHtml } from "../../../src/dr/drill/html.ts";
import { InterruptibleStorage } from "../../../src/dr/drill/interruptible.ts";
import { toJson } from "../../../src/dr/drill/json.ts";
import { judgeDatabase } from "../../../src/dr/drill/judge.ts";
import { toMarkdown } from "../../../src/dr/drill/markdown.ts";
import { counted } from "../../../src/dr/drill/markers/restore-set.ts";
import { drillPlace, newDrillId } from "../../../src/dr/drill/place.ts";
import type { PrimaryLook } from "../../../src/dr/drill/primary.ts";
import type { DrillReport } from "../../../src/dr/drill/report.ts";
import type { Restoration } from "../../../src/dr/drill/restore-all.ts";
import { removeDrill, sweepStorage } from "../../../src/dr/drill/sweep.ts";
import { fileTasks } from "../../../src/dr/drill/tasks.ts";
import { crashText, VERDICT_TEXT } from "../../../src/dr/drill/text.ts";
import type { Database, Manifest } from "../../../src/dr/manifest/model.ts";
import type { DatabaseReport } from "../../../src/dr/report.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { StorageError } from "../../../src/dr/storage/storage.ts";
import { openLedger } from "../../../src/mc/open.ts";
import { fakeWorld } from "../../client/world.ts";

const NOW = 1_800_000_000_000;
const folder = mkdtempSync(join(tmpdir(), "alai-drill-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tier = {
  name: "p0",
  order: 0,
  retention: 1,
  snapshotInterval: 1,
  syncInterval: 1000,
  heartbeat: 10_000,
  rpo: 60_000,
  follow: true,
};
const database = (more: Partial<Database> = {}): Database => ({
  ...{ name: "mc", path: "mc.db", tier, syncInterval: 1000, heartbeat: 10_000, follow: true, owner: "ledger" },
  ...{ size: 5_000_000, sizeClass: "small", optional: false, ...more },
});
const beat = (at: number, epoch = 1) => ({ epoch, seq: 7, at });
const committed = (more: Partial<NonNullable<DatabaseReport["committed"]>> = {}) => ({
  ...{ txid: 9, beat: beat(NOW), time: NOW, seenAt: NOW, ...more },
});
const reported = (more: Partial<DatabaseReport> = {}): DatabaseReport => ({
  ...{ name: "mc", committed: committed(), shipped: null, applied: null, published: null, claimedAt: null },
  ...{ state: "ok", reseeds: 0, note: null, ...more },
});
const primary = (...all: readonly DatabaseReport[]): PrimaryLook => ({
  ...{ host: "anvil", at: NOW, trouble: null, databases: new Map(all.map((one) => [one.name, one])) },
});
const silent: PrimaryLook = {
  host: "anvil",
  at: null,
  trouble: "The agent of anvil does not answer.",
  databases: new Map(),
};
const restored = (more: Partial<Extract<Restoration, { kind: "restored" }>> = {}): Restoration => ({
  ...{
    kind: "restored",
    epoch: 1,
    txid: 9,
    time: NOW,
    bytes: 4096,
    took: 500,
    beat: beat(NOW),
    isOwned: true,
    ...more,
  },
});
const kinds = ({ findings }: { findings: readonly { kind: string }[] }) => findings.map(({ kind }) => kind);

describe("what a restored database proves", () => {
  test("the age of its heartbeat against the primary's, by the primary's clock", () => {
    expect(judgeDatabase(database(), restored({ beat: beat(NOW - 4200) }), primary(reported())).row).toMatchObject({
      ...{ ok: true, rpoSeconds: 4.2, rpoBy: "heartbeat", seconds: 0.5, why: null },
    });
    // Shipped after the agent was asked.
    expect(judgeDatabase(database(), restored({ beat: beat(NOW + 900) }), primary(reported())).row.rpoSeconds).toBe(0);
  });

  test("by position where a database has no heartbeat, and by nothing where neither can be compared", () => {
    const without = reported({ committed: committed({ beat: null }) });
    const plain = database({ heartbeat: null });
    expect(judgeDatabase(plain, restored({ beat: null }), primary(without)).row).toMatchObject({
      rpoSeconds: 0,
      rpoBy: "position",
    });
    const behind = restored({ beat: null, txid: 8, time: NOW - 3000 });
    expect(judgeDatabase(plain, behind, primary(without)).row).toMatchObject({ rpoSeconds: 3, rpoBy: "position" });
    const unknown = judgeDatabase(plain, restored(), primary(reported({ committed: null })));
    expect(unknown.row).toMatchObject({ ok: true, rpoSeconds: null });
    expect(kinds(unknown)).toEqual(["rpo_unknown"]);
  });

  test("of another epoch nothing is known, however near the times are", () => {
    const judged = judgeDatabase(
      database(),
      restored(),
      primary(reported({ committed: committed({ beat: beat(NOW, 2) }) })),
    );
    expect(judged.row.rpoSeconds).toBeNull();
    expect(kinds(judged)).toEqual(["rpo_unknown"]);
  });

  test("more lost than the tier allows, the heartbeat or every table missing: each fails", () => {
    expect(kinds(judgeDatabase(database(), restored({ beat: beat(NOW - 61_000) }), primary(reported())))).toEqual([
      "rpo_over_limit",
    ]);
    const noBeat = judgeDatabase(database(), restored({ beat: null }), primary(reported()));
    expect(kinds(noBeat)).toEqual(["heartbeat_missing", "rpo_unknown"]);
    expect(noBeat.row.ok).toBe(false);
    const empty = judgeDatabase(database(), restored({ isOwned: false }), primary(reported()));
    expect(kinds(empty)).toEqual(["empty_restored"]);
    // The manifest alone is enough where the agent is silent.
    expect(kinds(judgeDatabase(database(), restored({ isOwned: false }), silent))).toEqual(["empty_restored"]);
  });

  test("an empty database may be empty", () => {
    const there = primary(reported({ state: "empty", committed: null }));
    expect(
      judgeDatabase(database({ sizeClass: "empty", size: 0 }), restored({ isOwned: false, beat: null }), silent).row.ok,
    ).toBe(true);
    expect(judgeDatabase(database(), { kind: "none" }, there)).toMatchObject({
      row: { ok: true, rpoSeconds: 0 },
      findings: [],
    });
  });

  test("nothing in storage fails, unless it is optional and the primary has nothing either", () => {
    expect(kinds(judgeDatabase(database(), { kind: "none" }, primary(reported())))).toEqual(["replica_missing"]);
    expect(kinds(judgeDatabase(database(), { kind: "none" }, silent))).toEqual(["replica_missing"]);
    const optional = database({ optional: true });
    expect(kinds(judgeDatabase(optional, { kind: "none" }, primary(reported())))).toEqual(["replica_missing"]);
    expect(kinds(judgeDatabase(optional, { kind: "none" }, silent))).toEqual(["not_restored"]);
    const missing = primary(reported({ state: "missing", committed: null }));
    expect(judgeDatabase(optional, { kind: "none" }, missing)).toMatchObject({ row: { ok: true }, findings: [] });
  });
});

describe("what the primary's agent says of its own file", () => {
  test.each(["missing", "damaged"] as const)("%s is a finding, however good what storage has is", (state) => {
    const judged = judgeDatabase(database(), restored(), primary(reported({ state })));
    expect(kinds(judged)).toEqual([`primary_${state}`]);
    expect(judged.row).toMatchObject({ ok: true, why: expect.stringContaining("on the primary") });
    expect(verdictOf(weigh(judged.findings, NOW))).toBe("FAIL");
  });

  test("an optional one may be missing, where storage has no data of it", () => {
    const gone = primary(reported({ state: "missing" }));
    const judged = (isOwned: boolean) => judgeDatabase(database({ optional: true }), restored({ isOwned }), gone);
    expect(kinds(judged(true))).toEqual(["primary_missing"]);
    expect(kinds(judged(false))).not.toContain("primary_missing");
  });
});

describe("marker rows", () => {
  const witnessed = { acknowledged: 50, first: NOW, seq: 50, at: NOW + 4900 };
  test("what was acknowledged and is not there was lost, also where a row in the middle is missing", () => {
    expect(counted("m", tier, witnessed, { rows: 50, at: NOW + 4900 })).toMatchObject({ lost: 0, rpoSeconds: 0 });
    expect(counted("m", tier, witnessed, { rows: 43, at: NOW + 4200 })).toMatchObject({ lost: 7, rpoSeconds: 0.7 });
    expect(counted("m", tier, witnessed, { rows: 49, at: NOW + 4900 })).toMatchObject({ lost: 1 });
    expect(counted("m", tier, witnessed, { rows: 0, at: null })).toMatchObject({ lost: 50, rpoSeconds: 4.9 });
  });
});

function measured(more: Partial<Measured> = {}): Measured {
  const names = ["mc", "<b>&|x"];
  const databases = names.map((name) => database({ name }));
  return {
    ...{
      id: newDrillId(NOW),
      startedAt: NOW,
      endedAt: NOW + 9000,
      host: "forge",
      machine: "m",
      by: "sys",
      storage: "a folder",
    },
    versions: { alai: "1", litestream: "0.5.17", sqlite: "3.53.4" },
    databases,
    primary: primary(...names.map((name) => reported({ name }))),
    restored: { took: 900, byName: new Map(names.map((name) => [name, restored()])) },
    markers: {
      seconds: 4,
      databases: [
        { name: "drill-p0", tier: "p0", acknowledged: 50, restored: 43, lost: 7, rpoSeconds: 0.7, limitSeconds: 60 },
      ],
    },
    steps: [],
    ...more,
  };
}
const manifest = { file: "dr.manifest.yaml", hash: "abc", daily: { prove: null, drill: null } } as unknown as Manifest;
const drill = (more: Partial<Measured> = {}, earlier: readonly DrillReport[] = []) =>
  compose(manifest, measured(more), earlier);

describe("the verdict", () => {
  test("is the worst of what was found, and PASS only where nothing was left out", () => {
    expect(drill().verdict).toBe("PASS");
    expect(drill({ markers: { trouble: "There is no Litestream on this machine." } }).verdict).toBe("INCOMPLETE");
    const quiet = drill({ primary: silent });
    expect(quiet).toMatchObject({ verdict: "INCOMPLETE", totals: { rpoWorstSeconds: null, rpoUnknown: 2 } });
    expect(quiet.findings.map(({ subject }) => subject)).toEqual(["primary"]);
    const outage = new StorageError("unreachable", "gone");
    const failed = new Map<string, Restoration>([
      ["mc", restored()],
      ["<b>&|x", { kind: "failed", epoch: 1, error: outage }],
    ]);
    const gone = drill({ restored: { took: 1, byName: failed } });
    expect(gone.findings).toMatchObject([{ kind: "not_restored", subject: "storage", verdict: "INCOMPLETE" }]);
    const broken = new Map<string, Restoration>([["mc", { kind: "failed", epoch: 1, error: new Error("cut") }]]);
    expect(drill({ primary: silent, restored: { took: 1, byName: broken } }).verdict).toBe("FAIL");
    // A disk that is full says nothing of the databases.
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    const unwritten = new Map<string, Restoration>([["mc", { kind: "failed", epoch: 1, error: full }]]);
    expect(drill({ restored: { took: 1, byName: unwritten }, databases: [database()] }).findings).toMatchObject([
      { kind: "not_restored", subject: "scratch", verdict: "INCOMPLETE" },
    ]);
    expect(verdictOf([])).toBe("PASS");
  });

  test("a crash that loses more than a tier allows fails", () => {
    const row = {
      name: "drill-p0",
      tier: "p0",
      acknowledged: 900,
      restored: 1,
      lost: 899,
      rpoSeconds: 90,
      limitSeconds: 60,
    };
    expect(drill({ markers: { seconds: 95, databases: [row] } }).findings).toMatchObject([
      { kind: "markers_over_limit" },
    ]);
  });
});

describe("against the drills before", () => {
  const taking = (seconds: number, total = 0.9) => {
    const byName = new Map(["mc", "<b>&|x"].map((name) => [name, restored({ took: seconds * 1000 })]));
    return drill({ restored: { took: total * 1000, byName } });
  };
  const databases = measured().databases;
  const found = (now: DrillReport, before: readonly DrillReport[]) =>
    compare(now, before, databases).map(({ kind, subject }) => `${kind} ${subject}`);

  test("half again as slow as usual is a finding; a moment more of something short, or one slow drill among seven, is none", () => {
    expect(found(taking(10), [])).toEqual([]);
    expect(found(taking(15.1), [taking(10)])).toEqual(["restore_slower mc", "restore_slower <b>&|x"]);
    expect(found(taking(14.9), [taking(10)])).toEqual([]);
    expect(found(taking(0.9), [taking(0.1)])).toEqual([]);
    expect(found(taking(10), [taking(2), taking(10), taking(10)])).toEqual([]);
    expect(found(taking(1, 31), [taking(1, 20), taking(1, 19)])).toEqual(["restore_slower all"]);
    expect(weigh(compare(taking(16), [taking(10)], databases), NOW)[0]).toMatchObject({
      verdict: "FINDINGS",
      priority: 3,
      owner: "ledger",
    });
  });

  test("a heartbeat's length more lost is none, several are", () => {
    const losing = (ms: number) =>
      drill({
        restored: {
          took: 1,
          byName: new Map([
            ["mc", restored({ beat: beat(NOW - ms) })],
            ["<b>&|x", restored()],
          ]),
        },
      });
    expect(found(losing(10_500), [losing(0)])).toEqual([]);
    expect(found(losing(30_000), [losing(5000)])).toEqual(["rpo_worse mc"]);
  });
});

describe("the report", () => {
  test("is one page without anything from elsewhere, and no name in it is markup", () => {
    const report = drill({ primary: silent }, [drill()]);
    const html = toHtml(report, [drill()]);
    expect(html).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import|<b>/);
    expect(html).toContain("&lt;b&gt;&amp;|x");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    const markdown = toMarkdown(report, [drill()]);
    expect(markdown).toContain("&lt;b>&\\|x");
    expect(markdown).not.toMatch(/NaN|undefined|Infinity|null/);
    const rows = markdown.split("\n").filter((line) => line.startsWith("| mc") || line.includes("&lt;b"));
    expect(rows.map((row) => row.replaceAll("\\|", "").split("|").length)).toEqual([9, 9]);
  });

  test("is read back as it was written, the newest first, and forgotten after 400 days", () => {
    const place = drillPlace(join(folder, "state"));
    const old = { ...drill(), id: newDrillId(NOW - 401 * 86_400_000), startedAt: NOW - 401 * 86_400_000 };
    const before = { ...drill(), id: newDrillId(NOW - 1000) };
    const report = drill();
    for (const one of [old, before, report]) writeDrill(place, one, { markdown: "m", html: "h" });
    expect(readDrills(place)).toEqual(JSON.parse(JSON.stringify([report, before])));
    expect(readDrills(drillPlace(join(folder, "nowhere")))).toEqual([]);
  });

  test("what a crash lost is said in agreement with the verdict: 7 rows are not nothing", () => {
    const { markers } = drill();
    expect(crashText(markers)).toBe("the last 0.70 s at most, 7 acknowledged rows: within what each tier allows");
    expect(toMarkdown(drill(), [])).toContain(crashText(markers));
    expect(VERDICT_TEXT.PASS).not.toMatch(/nothing was lost/);
    const [one] = markers?.databases ?? [];
    const rows = (more: object) => ({ seconds: 4, databases: one ? [{ ...one, ...more }] : [] });
    expect(crashText(rows({ lost: 0, rpoSeconds: 0 }))).toBe("no acknowledged row");
    expect(crashText(rows({ lost: 1, rpoSeconds: 61 }))).toBe(
      "the last 61.0 s at most, 1 acknowledged row: more than p0 allows",
    );
    expect(crashText(null)).toBe("not measured");
  });

  test("for programs: snake case, times as ISO 8601", () => {
    const json = toJson(drill(), { json: "a", markdown: "b", html: "c" });
    expect(json).toMatchObject({
      started_at: "2027-01-15T08:00:00.000Z",
      per_database: [{ rpo_seconds: 0, heartbeat: { at: "2027-01-15T08:00:00.000Z" } }, {}],
    });
    expect(json.files).toEqual({ json: "a", markdown: "b", html: "c" });
  });
});

test("a finding that was done is opened again; one that somebody has cancelled stays so", async () => {
  const { context } = fakeWorld({
    ALAI_MC_DB: join(folder, "ledger.db"),
    ALAI_DATA_DIR: folder,
    ALAI_CONFIG_DIR: folder,
  });
  const report = drill({ primary: silent });
  const file = async () => (await fileTasks(context, report)).filed.map(({ state }) => state);
  expect(await file()).toEqual(["new"]);
  expect(await file()).toEqual(["known"]);
  const ledger = await openLedger(context, "write");
  await ledger.setStatus([1], { verb: "done" }, context.caller());
  expect(await file()).toEqual(["reopened"]);
  await ledger.setStatus([1], { verb: "cancelled" }, context.caller());
  expect(await file()).toEqual(["cancelled"]);
  expect((await ledger.list({ status: [] })).tasks).toHaveLength(1);
  await context.closeAll();
});

describe("what drills left in storage", () => {
  const spec = { type: "file", path: join(folder, "storage"), prefix: "in/it" } as const;
  const storage = new FolderStorage(spec, 20_000);
  const put = async (key: string) => {
    mkdirSync(spec.path, { recursive: true });
    await storage.write(key, Buffer.from("x"));
  };

  test("is removed where its drill is dead or a day old; a younger one and everything else stays", async () => {
    for (const id of ["dead", "young"]) await put(`_alai/drills/${id}/e1/m/ltx/0/1.ltx`);
    await put("e1/mc/ltx/0/1.ltx");
    await put("_alai/primary.json");
    expect(await sweepStorage(storage, spec, { now: Date.now(), dead: ["dead"] })).toBe(1);
    const left = async () => (await storage.list("")).map(({ key }) => key);
    expect(await left()).toEqual(["_alai/drills/young/e1/m/ltx/0/1.ltx", "_alai/primary.json", "e1/mc/ltx/0/1.ltx"]);
    expect(await sweepStorage(storage, spec, { now: Date.now() + 86_500_000, dead: [] })).toBe(1);
    await removeDrill(storage, spec, "never-was");
    expect(await left()).toEqual(["_alai/primary.json", "e1/mc/ltx/0/1.ltx"]);
  });

  test("after a signal storage gives nothing more", async () => {
    const signal = new AbortController();
    const stopped = new InterruptibleStorage(storage, signal.signal);
    await put("a");
    expect(await stopped.list("a")).toHaveLength(1);
    signal.abort();
    await expect(stopped.read("a")).rejects.toMatchObject({ exit: 130 });
    await expect(stopped.list("a")).rejects.toMatchObject({ exit: 130 });
    await expect(buffer(stopped.stream("a"))).rejects.toMatchObject({ exit: 130 });
  });
});
