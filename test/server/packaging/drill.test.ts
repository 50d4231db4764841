import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADS, RULES } from "../../../packaging/server/drill/rules.ts";
import { type DrillReport, runDrill } from "../../../packaging/server/drill/run.ts";
import { PostgresServer } from "../../postgres/server.ts";
import { fillLedger, liveOn } from "./ledger.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DRILL = join(ROOT, "packaging/server/restore-drill.ts");

let server: PostgresServer;
let source: string;
let copies = 0;

/** A copy of the backup: what a restore gives. */
async function restore(...changes: readonly string[]): Promise<string> {
  const name = `restored_${++copies}`;
  const url = await server.createDatabase(name, "backup");
  // What no program can change by mistake is changed on purpose.
  for (const change of changes) await server.query(`SET session_replication_role = replica; ${change}`, name);
  return url;
}

async function drill(restored: string, options: { sample?: number; atLeast?: number } = {}): Promise<DrillReport> {
  return runDrill({ source, restored, sample: 0, ...options });
}

beforeAll(async () => {
  server = await PostgresServer.start(["fsync=off"]);
  source = await server.createDatabase("live");
  await fillLedger(source);
  await server.createDatabase("backup", "live");
  await liveOn(source);
}, 300_000);

afterAll(() => server.remove());

describe("a restored backup that is whole", () => {
  it("passes while the live database has gone on, and says what would have been lost", async () => {
    const report = await drill(await restore());
    expect(report.failures).toEqual([]);
    expect(report).toMatchObject({ passed: true, source_seq: 303, restored_seq: 300, events_lost: 3 });
    expect(report.rpo_seconds).toBeGreaterThan(3590);
    expect(report.rpo_seconds).toBeLessThan(3700);
    const of = (table: string) => report.tables.find((compared) => compared.table === table);
    expect(of("tasks")).toMatchObject({ settled: 298, sampled: 298, newer: 3 });
    expect(of("events")).toMatchObject({ settled: 300, newer: 3 });
    expect(of("requests")).toMatchObject({ settled: 19, newer: 1 });
    expect(of("audit")).toMatchObject({ settled: 5, newer: 1 });
  });

  it("compares a hundred rows of each table column by column when it is not told otherwise", async () => {
    const { status, stdout } = run("--source", source, "--restored", await restore(), "--json");
    const report = JSON.parse(stdout) as DrillReport;
    expect(status).toBe(0);
    expect(report.tables.filter(({ settled }) => settled >= 100).map(({ sampled }) => sampled)).toEqual([100, 100]);
  });

  it("passes when the live database's journal was pruned meanwhile", async () => {
    await server.createDatabase("pruned", "live");
    await server.query(
      "DELETE FROM alai.events WHERE seq <= 50 AND seq % 2 = 0; UPDATE alai.head SET pruned = 50",
      "pruned",
    );
    const report = await runDrill({ source: server.url("pruned"), restored: await restore(), sample: 0 });
    expect(report.failures).toEqual([]);
    expect(report.tables.find(({ table }) => table === "events")).toMatchObject({ settled: 250 });
  });

  it("is equal to itself", async () => {
    expect(await runDrill({ source, restored: source, sample: 100 })).toMatchObject({
      passed: true,
      events_lost: 0,
      rpo_seconds: 0,
    });
  });
});

describe("a restored backup that is not", () => {
  it.each([
    [
      "UPDATE alai.tasks SET title = 'Task 42?' WHERE id = 42",
      'tasks [42]: title is "Task 42?" in the restored database, "Task 42" in the source',
    ],
    ["DELETE FROM alai.tasks WHERE id = 42", "tasks [42] is not in the restored database"],
    ["INSERT INTO alai.tasks (id, title) VALUES (299000, 'x')", "tasks [299000] is only in the restored database"],
    [
      "UPDATE alai.tasks SET lease_until = lease_until + interval '1 day' WHERE id = 7",
      /^tasks \[7\]: lease_until is /,
    ],
    [
      "UPDATE alai.tasks SET lease_fence = 2 WHERE id = 7",
      "tasks [7]: lease_fence is 2 in the restored database, 1 in the source",
    ],
    ["DELETE FROM alai.dependencies WHERE task = 110", "dependencies [110, 109] is not in the restored database"],
    [
      "UPDATE alai.evidence SET size = 0 WHERE task = 9",
      /^evidence \[9\]: size is 0 in the restored database, 9 in the source$/,
    ],
    [
      "UPDATE alai.events SET actor = 'bob' WHERE seq = 17",
      'events [17]: actor is "bob" in the restored database, "ann" in the source',
    ],
    ["DELETE FROM alai.events WHERE seq = 17", "the restored journal has a gap: line 17 of 300 is missing"],
    ["DELETE FROM alai.events WHERE seq > 290", "the restored journal has a gap: line 291 of 300 is missing"],
    ["UPDATE alai.head SET seq = 299", "the restored journal has line 300, past its end 299"],
    ["UPDATE alai.head SET ledger = 'another'", /^they are two ledgers: /],
    ["UPDATE alai.head SET restoring = true", "the restored database is a copy that is not complete yet"],
    ["DELETE FROM alai.requests WHERE key = 'key-5'", 'requests ["user|ann", "key-5"] is not in the restored database'],
    ["UPDATE alai.tokens SET scopes = '{admin}'", /^tokens \[1\]: scopes is \["admin"\]/],
    ["UPDATE alai.tokens SET revoked_at = now()", /^tokens \[1\]: revoked_at is /],
    ["UPDATE alai.audit SET outcome = 'refused' WHERE seq = 2", /^audit \[2\]: outcome is "refused"/],
    ["UPDATE alai.migrations SET checksum = 'x' WHERE version = 1", /^migrations \[1\]: checksum is "x"/],
    ["DROP TABLE alai.evidence CASCADE", /^table evidence is missing or has other columns/],
    ["ALTER TABLE alai.requests DROP COLUMN fingerprint", /^table requests is missing or has other columns/],
  ])("%s", async (change, failure) => {
    const { passed, failures } = await drill(await restore(change));
    expect(passed).toBe(false);
    if (typeof failure === "string") expect(failures[0]).toBe(failure);
    else expect(failures[0]).toMatch(failure);
  });

  it("lacks what was there when the backup began", async () => {
    expect((await drill(await restore(), { atLeast: 301 })).failures).toEqual([
      "the restored journal ends at 300; it had 301 lines before the backup began",
    ]);
  });

  it("is the live database, with the two swapped", async () => {
    const { failures } = await runDrill({ source: await restore(), restored: source, sample: 1 });
    expect(failures[0]).toBe("the restored journal (303) is ahead of the source's (300): are they swapped?");
  });

  it("is older than what the live database still knows", async () => {
    await server.createDatabase("forgetful", "live");
    await server.query("DELETE FROM alai.events WHERE seq <= 302; UPDATE alai.head SET pruned = 302", "forgetful");
    const { failures } = await runDrill({ source: server.url("forgetful"), restored: await restore(), sample: 0 });
    expect(failures[0]).toMatch(/^the source's journal is pruned through 302, past the backup's end/);
  });

  it("has a table that no rule is for", async () => {
    await server.createDatabase("more", "live");
    await server.query("CREATE TABLE alai.more (id int PRIMARY KEY)", "more");
    const { failures } = await runDrill({ source: server.url("more"), restored: server.url("more"), sample: 1 });
    expect(failures).toEqual(["no rule says how to compare table more: add it to packaging/server/drill/rules.ts"]);
  });
});

it("has a rule for every table of the schema", () => {
  const folder = join(ROOT, "server/sql/migrations");
  const text = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  const tables = [...text.join("\n").matchAll(/CREATE TABLE (?:IF NOT EXISTS )?alai\.(\w+)/g)].map(([, name]) => name);
  expect([...Object.keys(RULES), ...HEADS].sort()).toEqual([...tables, "migrations"].sort());
});

describe("the program", () => {
  it("prints an aligned report and ends with 0", async () => {
    const { status, stdout } = run("--source", source, "--restored", await restore(), "--seed", "x");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tasks +298 +100 +3$/m);
    expect(stdout).toMatch(/^RPO 3[56]\d\d(\.\d+)? s: 3 events are newer than the backup$/m);
    expect(stdout).toMatch(/\npassed\n$/);
    expect(stdout).not.toContain(":alai@");
  });

  it("names the first difference and ends with 1", async () => {
    const restored = await restore("UPDATE alai.tasks SET title = 'changed' WHERE id = 42");
    const { status, stdout } = run("--source", source, "--restored", restored, "--sample", "0");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^tasks +DIFFERS +298 +3$/m);
    expect(stdout).toContain('\n  tasks [42]: title is "changed" in the restored database, "Task 42" in the source\n');
  });

  it("takes the journal's end from the manifest of the backup", async () => {
    const folder = mkdtempSync(join(tmpdir(), "alai-manifest-"));
    const manifest = join(folder, "m.json");
    writeFileSync(manifest, JSON.stringify({ seq: 400 }));
    const { status, stdout } = run("--source", source, "--restored", await restore(), "--manifest", manifest);
    rmSync(folder, { recursive: true });
    expect(status).toBe(1);
    expect(stdout).toContain("it had 400 lines before the backup began");
  });

  it.each([
    [[], 64, /usage: restore-drill/],
    [["--source", "postgres://x", "--restored", "postgres://y", "--sample", "many"], 64, /--sample is a whole number/],
    [["--sauce", "x"], 64, /usage: restore-drill/],
    [
      ["--source", "postgres://a:secret@127.0.0.1:1/x", "--restored", "postgres://a:secret@127.0.0.1:1/y"],
      69,
      /ECONNREFUSED/,
    ],
  ])("%j ends with %d", (words, code, message) => {
    const { status, stdout, stderr } = run(...words);
    expect([status, stdout]).toEqual([code, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("secret");
  });

  it("says so when a database is no ledger", () => {
    const { status, stderr } = run("--source", source, "--restored", server.url());
    expect(status).toBe(69);
    expect(stderr).toMatch(/is no ledger/);
  });
});

function run(...words: readonly string[]) {
  return spawnSync(process.execPath, [DRILL, ...words], { encoding: "utf8", timeout: 60_000 });
}
