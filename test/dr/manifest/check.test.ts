import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../../../src/commands/dr/manifest-check.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { checkDoubts } from "../../../src/dr/manifest/check/doubts.ts";
import { checkStorage } from "../../../src/dr/manifest/check/storage.ts";
import type { Database, Host } from "../../../src/dr/manifest/model.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import type { Blob } from "../../../src/dr/storage/storage.ts";
import { printing } from "../printing.ts";
import { ReplicaFolder } from "../restore/replica.ts";

let root: string;
const dbs = () => join(root, "db");
const replicas = () => join(root, "replicas");

/** p1 is not followed, so a standby need not have it. */
function manifest(): string {
  const file = join(root, "m.yaml");
  const place = `databases: ${dbs()}, state: ${root}/state`;
  writeFileSync(
    file,
    `hosts:
  - { name: anvil, role: primary, user: ann, ${place}, addresses: [10.0.0.1], os: linux }
  - { name: forge, role: standby, user: ann, ${place}, addresses: [10.0.0.2], os: linux }
storage: { type: file, path: ${replicas()} }
tiers: [{ name: p0, retention: 168h, rpo: 60s }, { name: p1, retention: 72h, rpo: 60s, follow: false }]
databases:
  - { name: good, tier: p0 }
  - { name: sub, path: deeper/sub.db, tier: p0 }
  - { name: gone, tier: p0 }
  - { name: unfollowed, tier: p1 }
  - { name: maybe, tier: p0, optional: true }
  - { name: planned, tier: p0, size: 0 }
  - { name: emptied, tier: p0, size: 4096 }
  - { name: text, tier: p0 }
  - { name: folder, tier: p0 }
`,
  );
  return file;
}

function sqlite(...path: string[]): void {
  const db = new DatabaseSync(join(dbs(), ...path));
  db.exec("PRAGMA journal_mode=wal; CREATE TABLE t(x); INSERT INTO t VALUES (1)");
  db.close();
}

function replica(key: string): void {
  const file = join(replicas(), key);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "x");
}

/** One that can be restored. @param table `_litestream_…`: no service has made one. */
function wholeReplica(name: string, table: string): string {
  using made = new ReplicaFolder();
  const key = made.write(name, [1], { epoch: 2, table, rows: 500 });
  const file = join(replicas(), key);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(join(made.path, key), file);
  return file;
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "alai-check-"));
  for (const folder of ["deeper", "folder.db", ".good.db-litestream/ltx"])
    mkdirSync(join(dbs(), folder), { recursive: true });
  sqlite("good.db");
  sqlite("deeper", "sub.db");
  sqlite("deeper", "stray.db");
  sqlite("no-ending");
  for (const name of ["planned.db", "emptied.db", "stray-empty.db", "good.db-wal"])
    writeFileSync(join(dbs(), name), "");
  for (const name of ["text.db", "notes.txt", "good.db-shm"]) writeFileSync(join(dbs(), name), "no database at all");
  symlinkSync("nowhere.db", join(dbs(), "dangling.db"));
  symlinkSync(".", join(dbs(), "loop"));
  const ltx = "ltx/0/0000000000000001-0000000000000001.ltx";
  wholeReplica("planned", "_litestream_seq");
  for (const name of ["good", "sub", "emptied", "unfollowed"]) replica(`e2/${name}/${ltx}`);
  for (const key of [`e1/text/${ltx}`, `e1/renamed/${ltx}`, `e2/strange/${ltx}`, "good/generations/x", "_alai/x"])
    replica(key);
});

afterAll(() => rmSync(root, { recursive: true }));

/** Databases and storage of the test are below one folder, and no database has a heartbeat. */
const doubts = () => [
  ["doubtful", "heartbeat", false],
  ["doubtful", replicas(), false],
];
const DISK = [
  ["missing", "gone", true],
  ["missing", "unfollowed", true],
  ["empty", "planned", false],
  ["empty", "emptied", true],
  ["no-database", "text", true],
  ["no-database", "folder", true],
  ["uncovered", "deeper/stray.db", true],
  ["uncovered", "no-ending", true],
  ["uncovered", "stray-empty.db", true],
];
const STORAGE = [
  ["no-replica", "gone", true],
  ["no-replica", "text", true],
  ["no-replica", "folder", true],
  ["unexpected", "e1/renamed", true],
  ["unexpected", "e2/strange", true],
  ["unexpected", "good", true],
];

async function check(flags: Record<string, unknown>): Promise<{ code: unknown; found: unknown[]; err: string }> {
  const { context, out, err } = printing({}, { json: [] });
  const code = await command.run(context, { args: [], flags: { manifest: manifest(), ...flags } as never });
  const rows = JSON.parse(out.join("")) as { kind: string; name: string; wrong: boolean }[];
  return { code, found: rows.map(({ kind, name, wrong }) => [kind, name, wrong]), err: err.join("") };
}

test("each thing that is wrong is named, on disk and in storage; exit 1", async () => {
  const { code, found, err } = await check({});
  expect([code, found, err]).toEqual([1, [...doubts(), ...DISK, ...STORAGE], ""]);
});

test("what is planned as empty, or may be missing, is wrong where storage has data of it", async () => {
  const found = async () => {
    const { context, out } = printing({}, { json: [] });
    await command.run(context, { args: [], flags: { manifest: manifest() } as never });
    const rows = JSON.parse(out.join("")) as { kind: string; name: string; detail: string; wrong: boolean }[];
    return rows.filter(({ name }) => ["planned", "maybe"].includes(name));
  };
  const maybe = wholeReplica("maybe", "_litestream_seq");
  try {
    expect(await found()).toMatchObject([{ kind: "empty", name: "planned", wrong: false }]);
    for (const name of ["planned", "maybe"]) wholeReplica(name, "mail");
    const detail = expect.stringMatching(/, and storage has data of it \(a file of \d{4,} bytes\)\.$/);
    const lost = { detail, wrong: true };
    expect(await found()).toMatchObject([
      { kind: "missing", name: "maybe", ...lost },
      { kind: "empty", name: "planned", ...lost },
    ]);
    // Litestream has made its tables in it since.
    const db = new DatabaseSync(join(dbs(), "planned.db"));
    db.exec("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)");
    db.close();
    expect((await found())[1]).toMatchObject({ kind: "empty", name: "planned", ...lost });
  } finally {
    rmSync(maybe);
    writeFileSync(join(dbs(), "planned.db"), "");
    wholeReplica("planned", "_litestream_seq");
  }
});

test("and where the agent of this machine has seen data in it, also without a look at storage", async () => {
  const state = new AgentState(join(root, "state", "agent.db"));
  const kept = (size: number) =>
    state.keep(["planned", "maybe"].map((name) => ({ name, kind: "data", value: { size, isCut: false } })));
  const about = async () =>
    (await check({ offline: true })).found.filter((row) => ["planned", "maybe"].includes((row as string[])[1] ?? ""));
  try {
    kept(0);
    expect(await about()).toEqual([["empty", "planned", false]]);
    kept(4096);
    expect(await about()).toEqual([
      ["missing", "maybe", true],
      ["empty", "planned", true],
    ]);
  } finally {
    state.close();
    rmSync(join(root, "state"), { recursive: true });
  }
});

test("--offline leaves storage out, and says so", async () => {
  const { code, found, err } = await check({ offline: true });
  expect([code, found, err]).toEqual([1, [...doubts(), ...DISK], expect.stringContaining("Storage was not looked at")]);
});

test("a standby need not have what it does not follow", async () => {
  const { found } = await check({ offline: true, host: "forge" });
  expect(found).toEqual([...doubts(), ...DISK.filter(([, name]) => name !== "unfollowed")]);
});

test("a host that is not there is 3, with the names there are", async () => {
  await expect(check({ host: "anvl" })).rejects.toMatchObject({
    exit: 3,
    hint: expect.stringContaining("anvil, forge"),
  });
});

test("after a failover: storage says who the primary is, and which epoch counts", async () => {
  const primary = join(replicas(), "_alai", "primary.json");
  const check = async (owner: string) => {
    writeFileSync(primary, JSON.stringify({ epoch: 3, owner, state: "primary" }));
    const { context, out } = printing({}, { json: [] });
    await command.run(context, { args: [], flags: { manifest: manifest() } as never });
    return JSON.parse(out.join("")) as { kind: string; name: string; detail: string; wrong: boolean }[];
  };
  try {
    const rows = await check("forge");
    const says = /forge is the primary \(epoch 3\); here it is anvil\. Change the roles/;
    expect(rows.filter(({ name }) => name === "forge")).toEqual([
      { kind: "doubtful", name: "forge", detail: expect.stringMatching(says), wrong: true },
    ]);
    expect(rows.find(({ kind, name }) => kind === "no-replica" && name === "good")?.detail).toBe(
      "It has no replica in e3, the current epoch; the last one is in e2.",
    );
    await expect(check("mars")).rejects.toThrow(/says that mars is the primary, and the manifest has no host mars/);
  } finally {
    rmSync(primary);
  }
});

test("what is allowed and hardly meant is worth knowing", () => {
  const host = (name: string, addresses: string[]) =>
    `{ name: ${name}, role: ${name === "anvil" ? "primary" : "standby"}, user: a, databases: ${dbs()}, state: /srv/${name}, addresses: [${addresses}] }`;
  const said = (
    hosts: string[],
    { storage = `{ type: file, path: /nowhere }`, heartbeat = "10s", tiers = "" } = {},
  ) => {
    const text = `hosts: [${hosts}]\nstorage: ${storage}\ntiers: [{ name: p0, retention: 1d, rpo: 60s, heartbeat: ${heartbeat} }, { name: p9, retention: 1d, rpo: 60s }${tiers && `, ${tiers}`}]\ndatabases: [{ name: a, tier: p0 }${tiers && ", { name: b, tier: p8 }"}]\n`;
    const read = parseManifest(text, "m.yaml");
    return checkDoubts(read, read.hosts[0] as Host).map(({ name, wrong }) => [name, wrong]);
  };
  const two = [host("anvil", ["10.0.0.1"]), host("forge", ["10.0.0.2"])];
  expect(said(two)).toEqual([["p9", false]]);
  expect(said(two.slice(0, 1))).toEqual([
    ["hosts", false],
    ["p9", false],
  ]);
  expect(said([two[0] ?? "", host("forge", ["localhost", "127.0.0.1"])])).toEqual([
    ["forge", false],
    ["p9", false],
  ]);
  expect(said(two, { heartbeat: "none" })).toEqual([
    ["p9", false],
    ["heartbeat", false],
  ]);
  expect(said(two, { tiers: "{ name: p8, retention: 1d, rpo: 60s, heartbeat: none }" })).toEqual([
    ["p9", false],
    ["p8", false],
  ]);
  expect(said(two, { tiers: "{ name: p8, retention: 1d, rpo: 1h }" })).toEqual([["p9", false]]);
  expect(said(two, { tiers: "{ name: p8, retention: 1m, rpo: 1h }" })).toEqual([
    ["p9", false],
    ["p8", false],
  ]);
  const http = '{ type: s3, bucket: abc, region: eu, endpoint: "http://10.0.0.9:9000" }';
  expect(said(two, { storage: http })).toEqual([
    ["p9", false],
    ["storage", false],
  ]);
  const link = join(root, "link");
  symlinkSync(join(dbs(), "deeper"), link);
  expect(said(two, { storage: `{ type: file, path: ${link} }` })).toEqual([
    ["p9", false],
    [link, true],
  ]);
});

test("nothing is wrong when all is as it should be", () => {
  const database = (name: string) => ({ name, optional: false }) as Database;
  const blob = (key: string): Blob => ({ key, size: 1, modified: 0, stamp: null });
  const blobs = ["e1/a/ltx/9/0000000000000001-0000000000000001.ltx", "_alai/x"].map(blob);
  expect(checkStorage(blobs, [database("a")], new Set())).toEqual([]);
  expect(checkStorage(blobs, [database("a"), { ...database("b"), optional: true }], new Set(["b"]))).toEqual([]);
  expect(checkStorage([], [database("a")], new Set())).toMatchObject([{ kind: "no-replica", name: "a" }]);
});
