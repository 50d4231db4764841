import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { command } from "../../../src/commands/dr/adopt.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import { printing } from "../printing.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "alai-adopt-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** As the company wrote them for 0.3. */
const OLD = `addr: ":9090"
dbs:
  - path: /Users/makinja/system/databases/mission-control.db
    replicas:
      - name: azure
        type: abs
        bucket: system-db-backups
        endpoint: https://alaibackups0ebb.blob.core.windows.net
        path: litestream/mission-control
        retention: 168h
        retention-check-interval: 1h
        sync-interval: 1s
  - path: /Users/makinja/system/databases/mc.db
    replicas:
      - name: azure
        type: abs
        bucket: system-db-backups
        endpoint: https://alaibackups0ebb.blob.core.windows.net
        account-key: hush
        path: litestream/mc-db
        retention: 168h
        sync-interval: 1s
  - path: /Users/makinja/system/databases/deep/flywheel.db
    max-checkpoint-page-count: 10
    replicas:
      - type: abs
        bucket: system-db-backups
        endpoint: https://alaibackups0ebb.blob.core.windows.net
        path: litestream/flywheel
        retention: banana
        colour: red
        sync-interval: 30s
  - dir: /Users/makinja/more
    pattern: "*.db"
    replica: { type: file, path: /b }
  - path: /Users/makinja/system/databases/far.db
    replica: { type: sftp, host: h, password: hush, path: /x }
`;

async function adopt(text: string, flags: Record<string, unknown> = {}) {
  const config = join(root, "litestream.yml");
  writeFileSync(config, text);
  const { context, out, err } = printing({}, {}, root);
  await command.run(context, { args: [config], flags: flags as never });
  return {
    lines: out
      .join("")
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t")),
    out: out.join(""),
    err: err.join(""),
  };
}

test("what never had an effect is said, once for all places", async () => {
  const { lines, out, err } = await adopt(OLD);
  expect(lines.map((line) => line.slice(0, 4))).toEqual([
    ["not-taken", "addr", "1", "1"],
    ["ignored", "replica.name", "2", "5"],
    ["ignored", "replica.retention", "2", "10"],
    ["ignored", "replica.retention-check-interval", "1", "11"],
    ["secret", "replica.account-key", "1", "19"],
    ["ignored", "database.max-checkpoint-page-count", "1", "24"],
    ["ignored", "replica.retention", "1", "30"],
    ["unknown", "replica.colour", "1", "31"],
    ["not-taken", "dbs.dir", "1", "33"],
    ["secret", "replica.password", "1", "37"],
    ["not-taken", "/Users/makinja/system/databases/far.db", "1", "36"],
    ["ignored", "AZURE_STORAGE_ACCOUNT", "3", "3"],
  ]);
  expect(lines[6]?.[4]).toMatch(/24 h.*no length of time/);
  expect(out + err).not.toContain("hush");
});

test("the manifest that is made is one, with tiers by retention", async () => {
  const { err } = await adopt(OLD, { host: "anvil" });
  const file = join(root, "dr.manifest.yaml");
  expect(err).toContain(`${file} has 3 databases`);
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain("hush");
  const { hosts, storage, databases } = parseManifest(text, file);
  expect(hosts).toMatchObject([
    { name: "anvil", role: "primary", user: "makinja", databases: "/Users/makinja/system/databases" },
  ]);
  expect(storage).toMatchObject({
    type: "azure",
    account: "alaibackups0ebb",
    container: "system-db-backups",
    prefix: "litestream",
  });
  expect(databases.map(({ name, path, tier, syncInterval }) => [name, path, tier.name, syncInterval])).toEqual([
    ["mission-control", "mission-control.db", "keep-168h", 1000],
    ["mc-db", "mc.db", "keep-168h", 1000],
    ["flywheel", "deep/flywheel.db", "keep-24h", 30_000],
  ]);
});

test.each([
  ["s3 by its URL", "replica: { url: s3://bucket/a/db }", { type: "s3", bucket: "bucket", prefix: "a" }],
  [
    "s3 of another maker",
    "replica: { type: s3, bucket: bucket, region: eu, endpoint: https://x.example, path: db }",
    { type: "s3", endpoint: "https://x.example", region: "eu" },
  ],
  ["a folder", "replica: { type: file, path: /backup/here/db }", { type: "file", path: "/backup/here", prefix: "" }],
  [
    "azure by its URL",
    "replica: { url: abs://account@container/p/q/db }",
    { type: "azure", account: "account", container: "container", prefix: "p/q" },
  ],
])("%s", async (_, replica, storage) => {
  const { out } = await adopt(`dbs:\n  - path: /srv/db/db.db\n    ${replica}\n`, { out: "-" });
  expect(parseManifest(out, "-").storage).toMatchObject(storage);
  expect(existsSync(join(root, "dr.manifest.yaml"))).toBe(false);
});

test("nothing is overwritten", async () => {
  const file = join(root, "mine.yaml");
  writeFileSync(file, "mine");
  await expect(adopt(OLD, { out: file })).rejects.toMatchObject({ exit: 1, code: "exists" });
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test.each([
  ["no YAML", "dbs: [", /:\d+:\d+: This is not YAML/],
  ["nothing", "", /names no database/],
  ["a list", "- a", /names no database/],
  ["no databases", "addr: x\n", /names no database/],
])("%s is refused", async (_, text, says) => {
  await expect(adopt(text)).rejects.toThrow(says);
  expect(existsSync(join(root, "dr.manifest.yaml"))).toBe(false);
});
