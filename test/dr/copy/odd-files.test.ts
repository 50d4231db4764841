import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Copy, openCopy } from "../../../src/dr/copy/copy.ts";
import { filesByReplica, hexTxid } from "../../../src/dr/ltx/name.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { type LtxPlan, writeLtx } from "../ltx/write-ltx.ts";

/** What Litestream itself never or seldom writes, and a copy must nevertheless stand. */
let folder: string;
let storage: FolderStorage;
let copy: Copy;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-odd-"));
  mkdirSync(join(folder, "storage"));
  storage = new FolderStorage({ path: join(folder, "storage"), prefix: "" }, 20_000);
  const [work, published] = [join(folder, "work"), join(folder, "published.db")];
  copy = openCopy({ name: "one", work, published, storage, clock: Date.now });
});

afterEach(async () => {
  await copy.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A database of some rows as a whole image. */
function image(pageSize: number, rows: number, journal: "wal" | "delete" = "wal"): Buffer {
  const file = join(folder, "image.db");
  rmSync(file, { force: true });
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = ${journal}; CREATE TABLE entry (word)`);
  db.exec(`INSERT INTO entry SELECT 'word ' || value FROM (WITH RECURSIVE n(value) AS
    (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${rows}) SELECT value FROM n)`);
  db.close();
  return readFileSync(file);
}

function pagesOf(bytes: Buffer, pageSize: number, wanted: (page: number) => boolean = () => true): LtxPlan["pages"] {
  return Array.from({ length: bytes.length / pageSize }, (_, at) => at + 1)
    .filter(wanted)
    .map((page) => [page, bytes.subarray((page - 1) * pageSize, page * pageSize)]);
}

async function put(level: number, plan: LtxPlan): Promise<void> {
  const { min = 1, max = min } = plan;
  await storage.write(`e1/one/ltx/${level}/${hexTxid(min)}-${hexTxid(max)}.ltx`, writeLtx(plan));
}

async function follow(): Promise<void> {
  await copy.follow(filesByReplica(await storage.list("e1/"), "e1/").get("one") ?? []);
}

function working(): Buffer {
  return readFileSync(join(folder, "work", "one"));
}

test("another page size", async () => {
  const [small, large] = [image(512, 100), image(1024, 300)];
  await put(0, { pageSize: 512, commit: small.length / 512, pages: pagesOf(small, 512) });
  await follow();
  expect(working().equals(small)).toBe(true);
  await put(0, { pageSize: 1024, commit: large.length / 1024, min: 2, pages: pagesOf(large, 1024) });
  await follow();
  expect(working().equals(large)).toBe(true);
  expect(copy.report()).toMatchObject({ state: "ok", applied: { txid: 2 }, reseeds: 0 });
});

test("a database that is not in WAL mode, and one that becomes so", async () => {
  const [first, second, third] = [image(512, 50, "delete"), image(512, 90, "delete"), image(512, 120, "wal")];
  for (const [at, bytes] of [first, second, third].entries()) {
    await put(0, { pageSize: 512, commit: bytes.length / 512, min: at + 1, pages: pagesOf(bytes, 512) });
    await follow();
    expect(working().equals(bytes)).toBe(true);
  }
  expect(copy.report()).toMatchObject({ state: "ok", applied: { txid: 3 }, reseeds: 0 });
});

test("a frame of the first releases, a file that begins earlier than needed, and a database that shrinks", async () => {
  const [first, second] = [image(512, 400), image(512, 20)];
  await put(0, { pageSize: 512, commit: first.length / 512, pages: pagesOf(first, 512), frames: true });
  await follow();
  await put(1, {
    pageSize: 512,
    commit: second.length / 512,
    min: 1,
    max: 5,
    pages: pagesOf(second, 512),
    frames: true,
  });
  await follow();
  expect(working().equals(second)).toBe(true);
});

test("a file that lacks a page of what it adds is not applied", async () => {
  const [first, second] = [image(512, 20), image(512, 400)];
  await put(0, { pageSize: 512, commit: first.length / 512, pages: pagesOf(first, 512) });
  await follow();
  const lacking = pagesOf(second, 512, (page) => page !== first.length / 512 + 3);
  await put(0, { pageSize: 512, commit: second.length / 512, min: 2, pages: lacking });
  await follow();
  await follow();
  expect(working().equals(first)).toBe(true);
  const { state, applied, note } = copy.report();
  expect({ state, txid: applied?.txid }).toEqual({ state: "damaged", txid: 1 });
  expect(note).toContain("breaks off after transaction 1");
});

test("a file under another's name is not applied", async () => {
  const [first, second] = [image(512, 20), image(512, 30)];
  await put(0, { pageSize: 512, commit: first.length / 512, pages: pagesOf(first, 512) });
  await follow();
  const foreign = writeLtx({ pageSize: 512, commit: second.length / 512, min: 7, pages: pagesOf(second, 512) });
  await storage.write(`e1/one/ltx/0/${hexTxid(2)}-${hexTxid(2)}.ltx`, foreign);
  await follow();
  expect(working().equals(first)).toBe(true);
  expect(copy.report()).toMatchObject({ applied: { txid: 1 }, reseeds: 0 });
});
