import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Checker } from "../../../src/dr/copy/check.ts";
import { type Copy, openCopy } from "../../../src/dr/copy/copy.ts";
import { filesByReplica } from "../../../src/dr/ltx/name.ts";
import { until } from "../world.ts";
import { HeldStorage } from "./held-storage.ts";
import { ship, words } from "./images.ts";

/** The disk is full after so many bytes of a file that is copied. */
let room = Number.POSITIVE_INFINITY;
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const copyFile: typeof real.copyFile = async (from, to, mode) => {
    await real.copyFile(from, to, mode);
    if (room === Number.POSITIVE_INFINITY) return;
    await real.truncate(to, room);
    throw Object.assign(new Error("ENOSPC: no space left on device, copyfile"), { code: "ENOSPC" });
  };
  return { ...real, copyFile };
});

/** A look into the clones for readers takes as long as the test wants, or finds what it wants. */
class TestChecker extends Checker {
  gate: Promise<void> | null = null;
  finding: string | null = null;
  override async check(...[path, wish]: Parameters<Checker["check"]>): ReturnType<Checker["check"]> {
    if (path.endsWith(".next")) {
      await this.gate;
      if (this.finding !== null) return { problems: [this.finding], beat: null, tables: [] };
    }
    return super.check(path, wish);
  }
}

let folder: string;
let storage: HeldStorage;
let checker: TestChecker;
let now: number;
const opened: Copy[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-publish-"));
  for (const part of ["storage", "readers"]) mkdirSync(join(folder, part));
  storage = new HeldStorage(join(folder, "storage"));
  checker = new TestChecker();
  now = 1000;
});
afterEach(async () => {
  room = Number.POSITIVE_INFINITY;
  storage.holding = false;
  storage.release();
  await Promise.all(opened.splice(0).map((copy) => copy.close()));
  await checker.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(name: string): Copy {
  const [work, published] = [join(folder, "work"), join(folder, "readers", `${name}.db`)];
  const copy = openCopy({ name, work, published, storage, checker, clock: () => now });
  opened.push(copy);
  return copy;
}

async function follow(copy: Copy, name: string, txid: number, rows = txid): Promise<void> {
  await ship(storage, folder, { replica: `e1/${name}`, txid, rows });
  await copy.follow(filesByReplica(await storage.list("e1/"), "e1/").get(name) ?? []);
}

/** A copy rests after each publication, for longer than that took. */
function publishedAt(copy: Copy, txid: number): Promise<boolean> {
  return until(`transaction ${txid} for readers`, async () => {
    await copy.publish();
    return copy.report().published?.txid === txid;
  });
}

test("since when readers lack something is the moment from which on the copy had more than the clone that they got", async () => {
  const copy = open("one");
  await follow(copy, "one", 1);
  expect(copy.report()).toMatchObject({ published: null });
  await publishedAt(copy, 1);
  expect(copy.report().readers).toMatchObject({ behindSince: null, trouble: null });
  const { promise, resolve } = Promise.withResolvers<void>();
  checker.gate = promise;
  await follow(copy, "one", 2);
  now = 2000;
  await until("a clone to be checked", () => {
    void copy.publish();
    return existsSync(join(folder, "readers", "one.db.next"));
  });
  expect(copy.report().readers?.behindSince).toBe(2000);
  now = 3000;
  await follow(copy, "one", 3);
  checker.gate = null;
  now = 400_000;
  resolve();
  await until("the second", () => (copy.report().published?.txid ?? 0) >= 2);
  // Its clone was made at 2000; the third change came after that.
  expect(copy.report()).toMatchObject({ published: { txid: 2 }, readers: { behindSince: 2000 } });
  await publishedAt(copy, 3);
  expect(copy.report().readers).toMatchObject({ behindSince: null, trouble: null });
});

test("a copy that hangs in storage keeps no other one from its readers", async () => {
  const [hanging, other] = [open("one"), open("two")];
  await follow(hanging, "one", 1);
  await follow(other, "two", 1);
  storage.holding = true;
  void follow(hanging, "one", 2).catch(() => undefined);
  await until("it to hang", () => storage.held > 0);
  void hanging.publish();
  await publishedAt(other, 1);
  expect(hanging.report()).toMatchObject({ applied: { txid: 1 }, published: null });
});

test("a disk that is full of half a clone is said, and freed", async () => {
  const copy = open("one");
  await follow(copy, "one", 1);
  room = 700;
  await expect(copy.publish()).rejects.toThrow("ENOSPC");
  expect(copy.report().readers).toMatchObject({
    behindSince: 1000,
    trouble: "ENOSPC: no space left on device, copyfile",
  });
  expect(readdirSync(join(folder, "readers"))).toEqual([]);
  room = Number.POSITIVE_INFINITY;
  await publishedAt(copy, 1);
  expect(copy.report().readers).toMatchObject({ behindSince: null, trouble: null });
});

test("a clone that is unsound, of a copy that is sound, is the readers' disk's fault: the copy stays", async () => {
  const copy = open("one");
  await follow(copy, "one", 1);
  checker.finding = "unable to open database file";
  await expect(copy.publish()).rejects.toThrow("of the sound working copy");
  expect(copy.report()).toMatchObject({ state: "ok", applied: { txid: 1 }, reseeds: 0, published: null });
  checker.finding = null;
  await publishedAt(copy, 1);
});

test("what SQLite finds wrong in many lines is one sentence: the first, and how many more there are", async () => {
  const copy = open("one");
  await follow(copy, "one", 1, 3000);
  const file = join(folder, "work", "one");
  const bytes = readFileSync(file);
  for (let page = 22; page < 40; page += 3) bytes.copy(bytes, page * 512, 20 * 512, 21 * 512);
  writeFileSync(file, bytes);
  await copy.publish();
  const { state, note } = copy.report();
  expect(state).toBe("quarantined");
  expect(note).toMatch(/^The working copy is no sound database: [^\n*]+ \(and \d+ more\)\.$/);
});

test("the record of an earlier release says which file is ours, and nothing of what is in it", async () => {
  const copy = open("one");
  await follow(copy, "one", 1);
  await publishedAt(copy, 1);
  await copy.close();
  const record = join(folder, "work", "one.published.json");
  const [{ file }] = JSON.parse(readFileSync(record, "utf8")) as [{ file: string }];
  writeFileSync(record, JSON.stringify([file]));
  const next = open("one");
  expect(next.report().published).toBeNull();
  await publishedAt(next, 1);
  expect(readdirSync(join(folder, "readers"))).toEqual(["one.db"]);
  expect(words(join(folder, "readers", "one.db"))).toHaveLength(1);
});
