import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Changes } from "../../../src/dr/agent/changes.ts";
import { lastComplaints } from "../../../src/dr/agent/litestream-log.ts";
import { type KnownOfOrigin, Origin } from "../../../src/dr/agent/origin.ts";
import { hexTxid, type LtxFile } from "../../../src/dr/ltx/name.ts";
import { manifestIn } from "./manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-pending-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FORGOTTEN: KnownOfOrigin = { beat: null, shipped: null, inode: null, data: null, healed: null };

/** A database that somebody writes, and the primary's knowledge of it. */
class Written implements Disposable {
  readonly origin: Origin;
  readonly #db: DatabaseSync;

  constructor(known: Partial<KnownOfOrigin> = {}) {
    const { databases, hosts } = manifestIn(folder);
    const [database] = databases;
    const [host] = hosts;
    if (!database || !host) throw new Error("an empty manifest");
    const file = join(host.databases, database.path);
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new DatabaseSync(file);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE IF NOT EXISTS mail (x)");
    this.origin = new Origin(database, host, { ...FORGOTTEN, data: { size: 1, isCut: false }, ...known });
  }

  write(): void {
    this.#db.exec("INSERT INTO mail VALUES (1)");
  }

  /** One tick. @param txid Litestream's position, null: it does not answer. @param syncedAt when it looked. */
  tick(now: number, txid: number | null, syncedAt = now): void {
    this.origin.look();
    this.origin.claimed(txid === null ? null : { path: "", txid, active: false, syncedAt, error: null }, now);
  }

  list(txid: number, began: number): void {
    this.origin.listed([ltx(txid)], began);
  }

  [Symbol.dispose](): void {
    this.#db.close();
    this.origin.close();
  }
}

function ltx(max: number): LtxFile {
  const key = `e1/mc/ltx/9/${hexTxid(1)}-${hexTxid(max)}.ltx`;
  return { key, replica: "mc", level: 9, min: 1, max, size: 1, time: 1 } as unknown as LtxFile;
}

it("what Litestream has not taken up is pending since it was committed, when it stands still", () => {
  using one = new Written();
  one.tick(1000, 7);
  one.list(7, 1500);
  expect(one.origin.pending).toBeNull();
  one.write();
  one.tick(2000, null);
  one.write();
  one.tick(3000, null);
  one.list(7, 3500);
  expect(one.origin.pending).toEqual({ since: 2000, untaken: 2000, why: null });
});

it("what it took up and does not send is pending since then, also over a start of it, and of the agent", () => {
  using one = new Written();
  one.tick(1000, 7);
  one.list(7, 1500);
  one.write();
  one.tick(2000, 7, 1900);
  one.tick(3000, 8);
  one.list(7, 3500);
  expect(one.origin.pending).toEqual({ since: 2000, untaken: null, why: null });
  one.origin.restarted();
  one.tick(4000, 8);
  one.list(7, 4500);
  expect(one.origin.pending).toMatchObject({ since: 2000, untaken: null });
  using next = new Written(one.origin.known);
  next.tick(5000, 9);
  next.list(7, 5500);
  expect(next.origin.pending).toMatchObject({ since: 2000, untaken: null });
  next.list(9, 6000);
  expect(next.origin.pending).toBeNull();
});

it("of more changes than are remembered the oldest counts", () => {
  const file = join(folder, "a.db");
  const changes = new Changes(null);
  for (let at = 1; at <= 700; at++) {
    writeFileSync(file, "x".repeat(at));
    changes.look(file, at);
  }
  changes.look(file, 701);
  expect(changes.oldest()).toBe(1);
  changes.covered(600);
  expect(changes.oldest()).toBe(601);
  expect(changes.oldest(700)).toBeNull();
});

it("the last error of each database is read from the end of Litestream's log, whatever else is in it", () => {
  const file = join(folder, "litestream.log");
  const line = (db: string, second: number, error: string) =>
    JSON.stringify({ time: `2026-01-01T00:00:0${second}.123456789Z`, level: "ERROR", msg: "monitor error", db, error });
  const more = JSON.stringify({ time: "2026-01-01T00:00:09Z", level: "WARN", db: "a.db", error: "not this one" });
  const lines = [
    "x".repeat(70_000),
    line("a.db", 1, "first"),
    line("b.db", 2, "other"),
    line("a.db", 3, "read-only file system"),
    more,
    "panic: {",
    '{"level":"ERROR"',
  ];
  writeFileSync(file, lines.join("\n"));
  const at = Date.parse("2026-01-01T00:00:03.123Z");
  expect([...lastComplaints(file)]).toEqual([
    ["a.db", { at, message: "read-only file system" }],
    ["b.db", { at: at - 1000, message: "other" }],
  ]);
  expect(lastComplaints(join(folder, "none")).size).toBe(0);
});
