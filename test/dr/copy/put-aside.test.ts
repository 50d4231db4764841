import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Copy, openCopy } from "../../../src/dr/copy/copy.ts";
import { filesByReplica } from "../../../src/dr/ltx/name.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { ship as shipImage, words } from "./images.ts";

/** What lies where readers' copies are to be, and was not published from here, is never lost. */
let folder: string;
let databases: string;
let published: string;
let storage: FolderStorage;
let copy: Copy;
let crashAt: string | null;
/** Done at a step. */
let meanwhile: ((step: string) => void) | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-aside-"));
  databases = join(folder, "databases");
  published = join(databases, "shop", "orders.db");
  mkdirSync(dirname(published), { recursive: true });
  mkdirSync(join(folder, "storage"));
  storage = new FolderStorage({ path: join(folder, "storage"), prefix: "" }, 20_000);
  crashAt = null;
  meanwhile = null;
  copy = open();
});

afterEach(async () => {
  await copy.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(work = "work"): Copy {
  return openCopy({
    ...{ name: "orders", work: join(folder, work), published, databases, storage, clock: Date.now },
    record: join(folder, "work", "orders.published.json"),
    onStep: (step) => {
      meanwhile?.(step);
      if (step === crashAt) throw new Error(`crash at ${step}`);
    },
  });
}

/** Storage gets a whole image of so many rows as this transaction. */
const ship = (txid: number, rows: number) => shipImage(storage, folder, { replica: "e2/orders", txid, rows });

async function followAndPublish(one = copy): Promise<void> {
  await one.follow(filesByReplica(await storage.list("e2/"), "e2/").get("orders") ?? []);
  await one.publish();
}

const asides = () => readdirSync(databases).filter((name) => name.startsWith("."));

/** A database as a killed primary leaves it: its last row is in the log alone. */
function leaveBehind(word: string): void {
  const live = join(folder, `${word}.db`);
  const db = new DatabaseSync(live);
  db.exec(`PRAGMA journal_mode = wal; CREATE TABLE entry (word); PRAGMA wal_checkpoint(TRUNCATE)`);
  db.exec(`INSERT INTO entry VALUES ('${word}')`);
  for (const suffix of ["", "-wal", "-shm"]) copyFileSync(live + suffix, published + suffix);
  db.close();
}

test("a former primary's database keeps every row, its log and Litestream's folder with it", async () => {
  leaveBehind("never sent");
  const unsent = join(dirname(published), ".orders.db-litestream", "unsent");
  mkdirSync(dirname(unsent));
  writeFileSync(unsent, "unsent");
  await ship(1, 2);
  await followAndPublish();
  expect(words(published)).toEqual(["shipped 0", "shipped 1"]);
  expect(asides()).toEqual([".before-standby-e2"]);
  const aside = join(databases, ".before-standby-e2", "shop");
  expect(words(join(aside, "orders.db"))).toEqual(["never sent"]);
  expect(existsSync(join(aside, ".orders.db-litestream", "unsent"))).toBe(true);
});

test("a second one takes nothing from the first", async () => {
  await ship(1, 1);
  leaveBehind("first");
  await followAndPublish();
  rmSync(published);
  leaveBehind("second");
  await copy.close();
  copy = open();
  await ship(2, 2);
  await followAndPublish();
  expect(words(published)).toHaveLength(2);
  expect(words(join(databases, ".before-standby-e2", "shop", "orders.db"))).toEqual(["first"]);
  expect(words(join(databases, ".before-standby-e2-2", "shop", "orders.db"))).toEqual(["second"]);
});

test("our own are replaced and nothing is put aside: by a new copy, and after a crash on either side of the swap", async () => {
  await ship(1, 1);
  await followAndPublish();
  for (const [at, step] of ["publish", "published"].entries()) {
    await ship(2 * at + 2, 2 * at + 2);
    await copy.close();
    copy = open();
    crashAt = step;
    await expect(followAndPublish()).rejects.toThrow("crash");
    crashAt = null;
    await copy.close();
    copy = open(at === 0 ? "work" : "again");
    await ship(2 * at + 3, 2 * at + 3);
    await followAndPublish();
    expect(words(published)).toHaveLength(2 * at + 3);
  }
  expect(asides()).toEqual([]);
});

test("one of ours that somebody has written to is put aside", async () => {
  await ship(1, 1);
  await followAndPublish();
  chmodSync(published, 0o644);
  const db = new DatabaseSync(published);
  db.exec("INSERT INTO entry VALUES ('by hand')");
  db.close();
  await copy.close();
  copy = open();
  await ship(2, 2);
  await followAndPublish();
  expect(words(join(databases, ".before-standby-e2", "shop", "orders.db"))).toEqual(["shipped 0", "by hand"]);
});

test("a host that stops being a standby gets no file put under its services, however far a publication is", async () => {
  await ship(1, 3);
  let closing: Promise<void> | undefined;
  meanwhile = (step) => {
    if (step !== "check clone") return;
    closing = copy.close();
    writeFileSync(published, "of the service that writes here now");
  };
  await followAndPublish();
  await closing;
  expect(closing).toBeDefined();
  expect(readFileSync(published, "utf8")).toBe("of the service that writes here now");
  expect([asides(), readdirSync(dirname(published))]).toEqual([[], ["orders.db"]]);
  await copy.publish();
  expect(readFileSync(published, "utf8")).toBe("of the service that writes here now");
});
