import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";

/** A store that cannot answer is exit 69 with a reason, and nothing is changed: an outage must not look like "held". */

/** A file system of its own, which only root can mount. In CI it must work; elsewhere the test is skipped, with a note. */
class Mount {
  readonly dir: string;

  constructor(dir: string, options: string, skip: (note: string) => never) {
    this.dir = dir;
    if (process.getuid?.() !== 0 && !process.env.CI) skip("needs root on Linux");
    mkdirSync(dir);
    system("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir);
  }

  remount(options: string): void {
    system("mount", "-o", `remount,${options}`, this.dir);
  }

  [Symbol.dispose](): void {
    system("umount", this.dir);
  }
}

function system(...[program = "", ...args]: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0)
    throw new Error(
      `${program} ${args.join(" ")} failed: ${error?.message ?? stderr}\nThis test mounts a tmpfs: run it as root.`,
    );
}

function hash(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** Runs with --json and expects exit 69. @returns the error's code. */
async function outage(place: Place, words: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await place.run(`${words} --json`, { env });
  expect([words, code, stdout]).toEqual([words, 69, ""]);
  const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } };
  expect(error.message.length).toBeGreaterThan(10);
  expect(error.hint.length).toBeGreaterThan(5);
  return error.code;
}

const WRITES = ["mc add x", "mc claim 1", "mc done 1", "mc note 1 x", "mc next --claim"];
const READS = ["mc list", "mc show 1", "mc claim-status 1", "mc next", "mc stats", "mc events", "mc export"];

describe.each(BUILDS)("$name: a store that cannot answer", (build) => {
  test("a full disk", async ({ skip }) => {
    using place = new Place(build);
    using mount = new Mount(place.file("small"), "size=400k", skip);
    const env = { ALAI_MC_DB: `${mount.dir}/ledger.db` };
    await place.ok("mc add first", { env });
    const before = await place.ok("mc export", { env });
    const filler = `${mount.dir}/filler`;
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1k", "count=2000"]);
    for (const words of WRITES) expect([words, await outage(place, words, env)]).toEqual([words, "disk_full"]);
    spawnSync("rm", [filler]);
    expect(await place.ok("mc export", { env })).toBe(before);
    expect(await place.json<object[]>("mc events", { env })).toHaveLength(1);
    expect(await place.ok("mc claim 1", { env })).toMatch(/^1\t1\t/);
  });

  test("a read-only folder: reading works or says why, writing does not", async ({ skip }) => {
    using place = new Place(build);
    using mount = new Mount(place.file("ro"), "size=4m", skip);
    const env = { ALAI_MC_DB: `${mount.dir}/ledger.db` };
    await place.ok("mc add first", { env });
    const before = hash(env.ALAI_MC_DB);
    mount.remount("ro");
    for (const words of WRITES) expect(["read_only", "unavailable"]).toContain(await outage(place, words, env));
    expect(hash(env.ALAI_MC_DB)).toBe(before);
    expect(["read_only", "unavailable"]).toContain(
      await outage(place, "mc add x", { ALAI_MC_DB: `${mount.dir}/new/l.db` }),
    );
    mount.remount("rw");
    expect(await place.ok("mc list", { env })).toContain("first");
  });

  test("locked past mc.lockTimeout, which is kept to", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("config set mc.lockTimeout 300ms");
    const before = place.fingerprint();
    const db = new DatabaseSync(place.db, { timeout: 5000 });
    db.exec("BEGIN IMMEDIATE");
    for (const words of WRITES) {
      const start = performance.now();
      expect([words, await outage(place, words)]).toEqual([words, "locked"]);
      // Without the setting it is 10 s.
      expect(performance.now() - start).toBeLessThan(9000);
    }
    // WAL: readers do not wait for a writer.
    for (const words of READS) expect([words, (await place.run(words)).code]).toEqual([words, 0]);
    const waiting = place.run("mc add waited");
    db.exec("ROLLBACK");
    db.close();
    expect((await waiting).code).toBe(0);
    expect(place.fingerprint()).not.toBe(before);
    expect(await place.json("mc list")).toHaveLength(2);
  });

  test("corrupt, no SQLite, no ledger, a folder, a newer schema: said, and left alone", async () => {
    using place = new Place(build);
    await place.add("a");
    const good = readFileSync(place.db);
    const make = (name: string, content: Buffer | string) => {
      writeFileSync(place.file(name), content);
      return place.file(name);
    };
    const other = place.file("other.db");
    const db = new DatabaseSync(other);
    db.exec("CREATE TABLE recipes (id INTEGER)");
    db.close();
    const newer = make("newer.db", good);
    const next = new DatabaseSync(newer);
    next.exec("UPDATE alai_meta SET value = '999' WHERE key = 'schema'");
    next.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    next.close();
    const files: [string, string][] = [
      [make("corrupt.db", Buffer.concat([good.subarray(0, 200), Buffer.alloc(good.length - 200, 0xa5)])), "corrupt"],
      [make("text.db", "just a text file that is long enough to be looked at\n".repeat(50)), "corrupt"],
      [other, "not_a_ledger"],
      [newer, "too_new"],
    ];
    for (const [file, code] of files) {
      const before = hash(file);
      for (const words of ["mc list", "mc add x", "mc claim 1"])
        expect([file, words, await outage(place, words, { ALAI_MC_DB: file })]).toEqual([file, words, code]);
      expect([file, hash(file)]).toEqual([file, before]);
    }
    expect(await outage(place, "mc list", { ALAI_MC_DB: place.dir })).toBe("unavailable");
    expect(await outage(place, "mc add x", { ALAI_MC_DB: "/dev/null" })).toBe("unavailable");
  });

  test("ALAI_MC_URL set: an error that says so, and never the file", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    const env = { ALAI_MC_URL: "http://127.0.0.1:9/", ALAI_MC_TIMEOUT: "100ms" };
    for (const words of [...WRITES, ...READS])
      expect([words, await outage(place, words, env)]).toEqual([words, "unavailable"]);
    expect(place.fingerprint()).toBe(before);
    expect((await place.run(`mc list --db ${place.db}`, { env })).code).toBe(0);
    await place.ok("config set mc.url http://127.0.0.1:9/");
    expect((await place.run("mc list", { env: { ALAI_MC_DB: undefined } })).code).toBe(69);
  });

  test("reading makes no ledger where there was none", async () => {
    using place = new Place(build);
    const env = { ALAI_MC_DB: place.file("deep/er/ledger.db") };
    expect(await place.json("mc list", { env })).toEqual([]);
    for (const words of ["mc stats", "mc events", "mc export", "mc claim-sweep"])
      expect([words, (await place.run(words, { env })).code]).toEqual([words, 0]);
    expect((await place.run("mc show 1", { env })).code).toBe(3);
    expect(existsSync(place.file("deep"))).toBe(false);
  });
});
