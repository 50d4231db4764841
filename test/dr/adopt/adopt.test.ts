import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { command } from "../../../src/commands/dr/adopt.ts";
import { adopt as adoptConfig } from "../../../src/dr/adopt/adopt.ts";
import { readOldConfig } from "../../../src/dr/adopt/read.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import { toFailure } from "../../../src/kit/errors.ts";
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

async function adopt(text: string, flags: Record<string, unknown> = {}, env: Record<string, string> = {}) {
  const config = join(root, "litestream.yml");
  writeFileSync(config, text);
  const { context, out, err } = printing(env, {}, root);
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

test("what never had an effect is said, and what gets one by the manifest; once for all places", async () => {
  const { lines, out, err } = await adopt(OLD);
  expect(lines.map((line) => line.slice(0, 4))).toEqual([
    ["not-taken", "addr", "1", "1"],
    ["ignored", "replica.name", "2", "5"],
    ["revived", "replica.retention", "2", "10"],
    ["ignored", "replica.retention-check-interval", "1", "11"],
    ["secret", "replica.account-key", "1", "19"],
    ["ignored", "database.max-checkpoint-page-count", "1", "24"],
    ["ignored", "replica.retention", "1", "30"],
    ["unknown", "replica.colour", "1", "31"],
    ["not-taken", "dbs.dir", "1", "33"],
    ["secret", "replica.password", "1", "37"],
    ["not-taken", "/Users/makinja/system/databases/far.db", "1", "36"],
    ["not-taken", "backups of 0.3", "", ""],
    ["guessed", "storage.account", "3", "3"],
    ...["tiers.rpo", "tiers.heartbeat", "hosts.os", "hosts.user", "hosts.addresses", "hosts"].map((key) => [
      ...["guessed", key, "", ""],
    ]),
  ]);
  const says = new Map(lines.map(([kind, key, , , detail]) => [`${kind} ${key}`, detail]));
  expect(says.get("revived replica.retention")).toMatch(
    /today snapshots are kept for 24 h.*The manifest has it as retention/,
  );
  expect(says.get("ignored replica.retention")).toMatch(/24 h.*no length of time, so the manifest has 24h/);
  expect(says.get("guessed storage.account")).toMatch(/alaibackups0ebb .*AZURE_STORAGE_ACCOUNT it never reads/);
  expect(says.get("guessed hosts.os")).toMatch(/^darwin: the databases are below \/Users/);
  expect(says.get("guessed tiers.heartbeat")).toMatch(/^None, .*heartbeat: 10s/);
  expect(says.get("not-taken backups of 0.3")).toMatch(/cannot read from Azure: keep a Litestream 0\.3\.13/);
  expect(out + err).not.toContain("hush");
});

const small = (replica: string, more = "") =>
  `${more}dbs:\n  - path: /srv/db/a.db\n    replica: { type: file, path: /b/a, ${replica} }\n  - path: /srv/db/b.db\n    replica: { type: file, path: /b/b, retention: 72h }\n`;
const tiersIn = (text: string) =>
  parseManifest(text, "-").tiers.map(({ name, retention, snapshotInterval }) => [
    name,
    retention / 3_600_000,
    snapshotInterval / 3_600_000,
  ]);

describe("how long and how often snapshots", () => {
  test("of 0.3, which 0.5 passes over: the manifest has both", async () => {
    const config = small("retention: 72h, snapshot-interval: 6h, validation-interval: 12h");
    expect(tiersIn((await adopt(config, { out: "-" })).out)).toEqual([
      ["keep-72h-image-6h", 72, 6],
      ["keep-72h", 72, 24],
    ]);
    const { lines } = await adopt(config);
    const kinds = lines.map(([kind, key]) => `${kind} ${key}`);
    expect(kinds).toEqual(
      expect.arrayContaining(["revived replica.snapshot-interval", "ignored replica.validation-interval"]),
    );
  });

  test("of 0.5, which hold: for the whole file or a database", async () => {
    const whole = small("retention: 24h", "snapshot: { interval: 12h, retention: 168h }\n");
    expect(tiersIn((await adopt(whole, { out: "-" })).out)).toEqual([["keep-168h", 168, 12]]);
    const { lines } = await adopt(whole);
    expect(lines.find(([, key]) => key === "replica.retention")?.slice(0, 5)).toEqual([
      ...["ignored", "replica.retention", "2", "4"],
      "0.5 passes over it: what stands in snapshot holds, and is in the manifest.",
    ]);
    const own =
      "dbs:\n  - path: /srv/db/a.db\n    snapshot: { retention: 48h }\n    replica: { type: file, path: /b/a }\n";
    expect(tiersIn((await adopt(own, { out: "-" })).out)).toEqual([["keep-48h", 48, 24]]);
  });

  test("an interval longer than the retention would leave none: left out, and said; none said is a guess", async () => {
    const config = small("retention: 12h, snapshot-interval: 24h");
    expect(tiersIn((await adopt(config, { out: "-" })).out)).toEqual([
      ["keep-72h", 72, 24],
      ["keep-12h", 12, 12],
    ]);
    expect((await adopt(config)).out).toMatch(/not-taken\tsnapshot-interval\t1\t2\tA snapshot every 24h, kept for 12h/);
    rmSync(join(root, "dr.manifest.yaml"));
    expect((await adopt(small("sync-interval: 2s"))).out).toMatch(
      /guessed\ttiers\.retention\t1\t2\tNo retention is said: 24h/,
    );
  });
});

test.each([
  ["/home/ann/db", "darwin", "linux", /below a folder of Linux/],
  ["/Volumes/big/db", "linux", "darwin", /below \/Users/],
  ["/databases", "darwin", "darwin", /say nothing of the system.*linux is the other/],
  ["/databases", "linux", "linux", /say nothing of the system.*darwin is the other/],
] as const)("databases in %s on a machine of %s: %s", (folder, here, os, says) => {
  const old = readOldConfig(`dbs:\n  - path: ${folder}/a.db\n    replica: { type: file, path: /b/a }\n`, "x.yml");
  const { text, remarks } = adoptConfig(old, { host: "h", user: "u", os: here });
  expect(parseManifest(text, "-").hosts[0]?.os).toBe(os);
  expect(remarks.find(({ key }) => key === "hosts.os")?.detail).toMatch(says);
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

const inS3 = (...paths: string[]) =>
  `dbs:\n${paths.map((path, at) => `  - path: ${path}\n    replica: { type: s3, bucket: bucket, path: r/${at} }\n`).join("")}`;

test.each([
  ["/var/lib/app1/a.db", "/var/lib/app2/b.db", "/var/lib"],
  ["/var/a.db", "/var/lib/app2/b.db", "/var"],
  ["/Users/ann/a.db", "/Users/ann/x/b.db", "/Users/ann"],
])("the agent's folder is guessed beside the databases, wherever they are", async (one, two, folder) => {
  const { out } = await adopt(inS3(one, two), { out: "-" });
  const [host] = parseManifest(out, "-").hosts;
  expect(host?.databases).toBe(folder);
  expect(host?.state.startsWith(`${folder}/`)).toBe(false);
});

test("what makes no manifest is said of the config, the flag or the environment, whichever it is", async () => {
  const refused = async (text: string, flags = {}, env = {}) => {
    const error = await adopt(text, { out: "-", ...flags }, env).catch((thrown: unknown) => thrown);
    const { exit, message, hint, lines } = toFailure(error);
    return [exit, [message, ...(lines ?? []), hint].join(" ")] as const;
  };
  expect(await refused(inS3("/var/lib/a.db", "/opt/b.db"))).toEqual([
    64,
    expect.stringMatching(/in \/var, \/opt, which/),
  ]);
  expect(await refused(inS3("/a/a.db"), { host: "a b" })).toEqual([64, expect.stringMatching(/^--host is "a b"/)]);
  const [exit, said] = await refused(inS3("/a/a.db").replace("bucket: bucket", "bucket: bk"));
  expect([exit, said]).toEqual([64, expect.stringMatching(/litestream\.yml as it is: .*not a name of a bucket/)]);
  expect(said).not.toMatch(/Correct the file|container|:\d+:\d+/);
  expect(await refused(inS3("$" + "{D}/a.db", "$E/b.db"))).toEqual([
    64,
    expect.stringMatching(
      /litestream\.yml:2: .* value of D there, and D, E are not set here\. Type for example: D=VALUE/,
    ),
  ]);
  expect(await refused(inS3("a.db"))).toEqual([
    64,
    expect.stringMatching(/line 2 is "a\.db", which is not an absolute/),
  ]);
});

test("variables of the environment are put in, as Litestream does; those of credentials need not be set", async () => {
  const text = inS3("$" + "{D}/a.db").replace("path: r/0", "secret-access-key: $HUSH, path: $P/0");
  const { out } = await adopt(text, { out: "-" }, { D: "/srv/x", P: "deep/r" });
  const { hosts, storage } = parseManifest(out, "-");
  expect([hosts[0]?.databases, storage.prefix]).toEqual(["/srv/x", "deep/r"]);
});

test("of a replica in a folder the guess at the storage is said", async () => {
  const { out } = await adopt("dbs:\n  - path: /srv/app/app.db\n    replica: { path: /backup/app }\n");
  expect(out).toMatch(/guessed\tstorage\.path\t1\t2\t\/backup: .*\/backup\/e1\/app; what lies in \/backup\/app stays/);
});

test("nothing is overwritten", async () => {
  const file = join(root, "mine.yaml");
  writeFileSync(file, "mine");
  await expect(adopt(OLD, { out: file })).rejects.toMatchObject({ exit: 1, code: "exists" });
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("a folder is no config, nor is what is not UTF-8", async () => {
  const { context } = printing({}, {}, root);
  const run = (config: string) => command.run(context, { args: [config], flags: {} as never });
  await expect(async () => run(root)).rejects.toMatchObject({
    exit: 64,
    message: `${root} is a folder, not a config.`,
  });
  const file = join(root, "latin.yml");
  writeFileSync(file, Buffer.from("dbs: # gr\u00fcn\n", "latin1"));
  await expect(async () => run(file)).rejects.toMatchObject({ exit: 64, problems: [{ line: 1, column: 10 }] });
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
