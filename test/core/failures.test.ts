import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import type { Caller, TaskDetail } from "@alai/core/ledger";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { Failpoint } from "@alai/core/sqlite/store";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { folder } from "./folder.ts";

const me: Caller = { actor: "ann", session: "s1" };
const bob: Caller = { actor: "bob", session: "s1" };
const NODE = "node_modules/.bin/node";

let temp: ReturnType<typeof folder>;
let file: string;
const opened: SqliteLedger[] = [];

const temps: (typeof temp)[] = [];

beforeEach(() => {
  temp = folder();
  temps.push(temp);
  file = temp.file("mission-control.db");
});
afterEach(() => {
  for (const ledger of opened.splice(0)) ledger.close();
});
// Not after each test: some run at the same time and share `temp`.
afterAll(() => {
  for (const each of temps) each.remove();
});

async function open(options: Partial<Parameters<typeof SqliteLedger.open>[1]> = {}): Promise<SqliteLedger> {
  const ledger = await SqliteLedger.open(file, { missing: "create", ...options });
  opened.push(ledger);
  return ledger;
}

/** Runs `body` on a connection of its own. */
function withDb<T>(path: string, body: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return body(db);
  } finally {
    db.close();
  }
}

function integrity(path = file): unknown {
  return withDb(path, (db) => db.prepare("PRAGMA integrity_check").get()?.integrity_check);
}

describe("a store that cannot be written", () => {
  /** A file system of its own, which only root can mount. In CI it must work; elsewhere the test is skipped. */
  function mount(skip: (note: string) => never, size: string): string {
    const at = temp.file("mnt");
    mkdirSync(at);
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at]);
    if (status === 0) return at;
    if (process.env.CI) throw new Error(`cannot mount: ${stderr}`);
    return skip("needs root on Linux");
  }
  const unmount = (at: string) => spawnSync("umount", ["-l", at]);

  it("full disk: says so, loses nothing, works again when there is room", async ({ skip }) => {
    const at = mount(skip, "512k");
    try {
      file = `${at}/mission-control.db`;
      const ledger = await open();
      const long = { description: "x".repeat(20_000) };
      let added = 0;
      const fill = async () => {
        for (;;) {
          await ledger.add([{ title: `task ${added}`, ...long }], me);
          added += 1;
        }
      };
      await expect(fill()).rejects.toMatchObject({ name: "StoreError", code: "disk_full" });
      expect(added).toBeGreaterThan(1);
      expect(await ledger.stats()).toMatchObject({ total: added, events: added });
      spawnSync("mount", ["-o", "remount,size=8m", at]);
      await ledger.claim([1], me, 60_000);
      ledger.close();
      expect(integrity()).toBe("ok");
      expect(await (await open()).stats()).toMatchObject({ total: added, held: 1 });
    } finally {
      for (const ledger of opened.splice(0)) ledger.close();
      unmount(at);
    }
  });

  it("full disk from the start: says so", async ({ skip }) => {
    const at = mount(skip, "16k");
    try {
      file = `${at}/mission-control.db`;
      await expect(open()).rejects.toMatchObject({ name: "StoreError", code: "disk_full" });
    } finally {
      unmount(at);
    }
  });

  it("read-only folder: says so, for opening, writing and making", async ({ skip }) => {
    const at = mount(skip, "8m");
    try {
      file = `${at}/mission-control.db`;
      (await open()).close();
      copyFileSync(file, `${at}/plain.db`);
      withDb(`${at}/plain.db`, (db) => db.exec("PRAGMA journal_mode = DELETE"));
      spawnSync("mount", ["-o", "remount,ro", at]);
      // A WAL file cannot even be read where the file that readers share cannot be made.
      await expect(open()).rejects.toMatchObject({ code: "unavailable", hint: expect.stringContaining("folder") });
      file = `${at}/plain.db`;
      const write = async () => (await open()).add([{ title: "x" }], me);
      await expect(write()).rejects.toMatchObject({ name: "StoreError", code: "read_only" });
      file = `${at}/other/mission-control.db`;
      await expect(open()).rejects.toMatchObject({ name: "StoreError", code: "unavailable" });
    } finally {
      for (const ledger of opened.splice(0)) ledger.close();
      unmount(at);
    }
  });

  it("lock held too long: locked, never held; released in time: served", async () => {
    const ledger = await open({ busyLimit: 150 });
    await ledger.add([{ title: "x" }], me);
    const theirs = new DatabaseSync(file);
    theirs.exec("BEGIN IMMEDIATE");
    const start = performance.now();
    await expect(ledger.claim([1], me, 1000)).rejects.toMatchObject({ name: "StoreError", code: "locked" });
    expect(performance.now() - start).toBeGreaterThanOrEqual(150);
    // It would be held for ever; without the limit of its own it would be given up after the usual one, which is longer.
    expect(performance.now() - start).toBeLessThan(8000);
    expect(await ledger.stats()).toMatchObject({ held: 0 });
    setTimeout(() => theirs.exec("COMMIT"), 50);
    expect(await ledger.claim([1], me, 60_000)).toMatchObject([{ fence: 1 }]);
    theirs.close();
  });

  it("damage found while reading: corrupt", async () => {
    const ledger = await open();
    await ledger.add(
      Array.from({ length: 300 }, (_, i) => ({ title: `task ${i}`, description: "d".repeat(200) })),
      me,
    );
    ledger.close();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xa5, 4096, bytes.length - 4096));
    const read = async () => (await open()).list({ status: [] });
    await expect(read()).rejects.toMatchObject({ name: "StoreError", code: "corrupt" });
  });
});

describe("a process killed without warning", () => {
  const points: readonly Failpoint[] = ["before-begin", "after-begin", "after-change", "before-commit", "after-commit"];
  const cases = (["claim", "add", "done"] as const).flatMap((verb) => points.map((point) => [verb, point] as const));

  interface Survivor {
    readonly ledger: SqliteLedger;
    readonly committed: boolean;
    readonly before: TaskDetail | undefined;
    readonly work: TaskDetail | undefined;
  }

  /** What must be there after the kill, and what the caller's retry must do. */
  const expectAfter = {
    async claim({ ledger, committed, work }: Survivor) {
      const id = work?.id ?? 0;
      expect(work).toMatchObject({ fence: committed ? 1 : 0, lease_holder: committed ? "ann:s1" : null });
      if (committed) await expect(ledger.claim([id], bob, 1000)).rejects.toMatchObject({ code: "held" });
      expect(await ledger.claim([id], me, 600_000)).toMatchObject([{ fence: 1, idempotent: committed }]);
    },
    async add({ ledger, committed }: Survivor) {
      expect((await ledger.stats()).total).toBe(committed ? 3 : 2);
      expect(await ledger.add([{ title: "added", dedup_key: "once" }], me)).toMatchObject([{ existing: committed }]);
      expect((await ledger.stats()).total).toBe(3);
    },
    async done({ ledger, committed, before }: Survivor) {
      const id = before?.id ?? 0;
      expect(before?.status).toBe(committed ? "done" : "open");
      expect(before?.lease_holder).toBe(committed ? null : "ann:s1");
      await ledger.setStatus([id], { verb: "done" }, me);
      expect((await ledger.events({ task: id })).filter((event) => event.kind === "done")).toHaveLength(1);
    },
  };

  it.concurrent.each(cases)("in %s, at %s", async (verb, point) => {
    const mine = folder();
    const path = mine.file("mission-control.db");
    try {
      const child = await promisify(execFile)(NODE, ["test/core/fixtures/killed.ts", path, verb, point]).catch(
        (error: { signal: string; stdout: string; stderr: string }) => error,
      );
      expect(child, child.stderr).toMatchObject({ signal: "SIGKILL" });
      const { before, id } = JSON.parse(child.stdout) as { before: number; id: number };
      const committed = point === "after-commit";
      const ledger = await SqliteLedger.open(path, { missing: "empty" });
      // Acknowledged before the kill: always there.
      const [kept, work] = await ledger.get([before, id]);
      expect(kept).toMatchObject({ fence: 1, title: "claimed before" });
      const events = await ledger.events({});
      expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
      expect(events).toHaveLength(committed ? 4 : 3);
      await expectAfter[verb]({ ledger, committed, before: kept, work });
      ledger.close();
      expect(integrity(path)).toBe("ok");
    } finally {
      mine.remove();
    }
  });
});
