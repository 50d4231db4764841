import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runDrill } from "../../../packaging/server/drill/run.ts";
import { PostgresServer } from "../../postgres/server.ts";
import { fillLedger, liveOn } from "./ledger.ts";
import { PostgresWithTools } from "./tools.ts";

const SCRIPTS = join(import.meta.dirname, "../../../packaging/server");

function script(name: string, url: string, ...words: readonly string[]) {
  return spawnSync("bash", [join(SCRIPTS, name), ...words], {
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const bin = PostgresWithTools.find();

// In CI it must be there: a backup that was never restored is none.
describe.skipIf(bin === null && !process.env.CI)("backup.sh and restore.sh, with pg_dump and pg_restore", () => {
  let server: PostgresWithTools;
  let folder: string;
  let live: string;
  let dump: string;

  beforeAll(async () => {
    if (bin === null) throw new Error("no Postgres with its tools: apt-get install postgresql");
    server = await PostgresWithTools.start(bin);
    folder = mkdtempSync(join(tmpdir(), "alai-backup-"));
    live = server.url("live");
    await query(server.url("postgres"), "CREATE DATABASE live");
    await fillLedger(live);
    const { status, stdout, stderr } = script("backup.sh", live, folder);
    expect([status, stderr]).toEqual([0, ""]);
    dump = stdout.trim();
  }, 300_000);

  afterAll(() => {
    server?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("writes the dump, its sum and what the drill needs, for its owner only", () => {
    const files = readdirSync(folder).sort();
    expect(files).toEqual([
      expect.stringMatching(/^alai-\d{8}T\d{6}Z\.dump$/),
      expect.stringMatching(/\.json$/),
      expect.stringMatching(/\.sha256$/),
    ]);
    for (const file of files) expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
    const manifest = JSON.parse(readFileSync(dump.replace(/dump$/, "json"), "utf8"));
    expect(manifest).toMatchObject({
      seq: 300,
      bytes: statSync(dump).size,
      ledger: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it("restores into a new database that the drill proves, while the live one goes on", async () => {
    await liveOn(live);
    const { status, stderr } = script("restore.sh", server.url("postgres"), dump, "restored");
    expect(stderr).toMatch(/^restored into restored in \d+ s\n$/);
    expect(status).toBe(0);
    const report = await runDrill({ source: live, restored: server.url("restored"), sample: 100, atLeast: 300 });
    expect(report).toMatchObject({ passed: true, failures: [], events_lost: 3 });
  });

  it("fails the drill after one changed row", async () => {
    expect(script("restore.sh", server.url("postgres"), dump, "tampered").status).toBe(0);
    await query(server.url("tampered"), "UPDATE alai.tasks SET priority = 3 WHERE id = 200");
    const { failures } = await runDrill({ source: live, restored: server.url("tampered"), sample: 0 });
    expect(failures).toEqual(["tasks [200]: priority is 3 in the restored database, 0 in the source"]);
  });

  it("never touches a database that exists", () => {
    const { status, stderr } = script("restore.sh", server.url("postgres"), dump, "live");
    expect([status, stderr]).toEqual([1, "The database live exists. Choose another name; nothing was changed.\n"]);
  });

  it("refuses a dump that is damaged, or whose sum is missing", () => {
    const copy = join(folder, "copy.dump");
    writeFileSync(copy, readFileSync(dump));
    expect(script("restore.sh", server.url("postgres"), copy, "never").stderr).toMatch(/copy\.sha256 is missing/);
    writeFileSync(
      join(folder, "copy.sha256"),
      readFileSync(dump.replace(/dump$/, "sha256"), "utf8").replace(/\S+$/m, "copy.dump"),
    );
    appendFileSync(copy, "x");
    const { status, stderr } = script("restore.sh", server.url("postgres"), copy, "never");
    expect(status).toBe(1);
    expect(stderr).toContain("copy.dump is not what backup.sh wrote.");
  });

  it.each([["Robert'); DROP"], ["template1"], ["UPPER"], [""]])("takes no such name for a database: %j", (name) => {
    const { status } = script("restore.sh", server.url("postgres"), dump, name);
    expect(status === 64 || status === 1).toBe(true);
  });

  it("leaves nothing behind when it fails", () => {
    const before = readdirSync(folder);
    const { status, stderr } = script("backup.sh", server.url("postgres"), folder);
    expect(status).toBe(69);
    expect(stderr).toContain("This database has no ledger.");
    expect(script("backup.sh", server.url("nowhere"), folder).status).toBe(69);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("shows nobody the password", () => {
    const { stdout, stderr } = script("backup.sh", server.url("nowhere").replace("p%25w%3Ad", "secret"), folder);
    expect(stdout + stderr).not.toContain("secret");
    expect(readFileSync(join(SCRIPTS, "backup.sh"), "utf8")).not.toMatch(/--dbname="\$DATABASE_URL"/);
  });

  it("refuses a server that is newer than the tools, in words", async () => {
    const newer = await PostgresServer.start(["fsync=off"]);
    try {
      const { status, stderr } = script("backup.sh", newer.url(), folder);
      const tools = Number(bin?.match(/\d+/)?.[0]);
      if (tools >= 18) return;
      expect(status).toBe(69);
      expect(stderr).toBe(
        `pg_dump is of version ${tools}, the server of 18. Install postgresql-client-18, or run this in the image postgres:18.\n`,
      );
    } finally {
      await newer.remove();
    }
  }, 300_000);
});
