import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { command } from "../../../src/commands/dr/render.ts";
import type { Host } from "../../../src/dr/manifest/model.ts";
import { programOfUnit } from "../../../src/dr/render/program.ts";
import { printing } from "../printing.ts";
import { run as runBinary } from "../probes/probe.ts";

const EXAMPLE = join(import.meta.dirname, "../../../docs/examples/alai/dr.manifest.yaml");
const SECRETS = {
  LITESTREAM_AZURE_ACCOUNT_KEY: "hush-key",
  SLACK_BOT_TOKEN: "hush-token",
  BOOKSTACK_TOKEN: "hush-book",
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "alai-render-test-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const out = () => join(root, "out");
const DEFAULTS = { manifest: EXAMPLE, host: "anvil", epoch: 1, program: "/usr/local/bin/alai" };

async function render(flags: Record<string, unknown>, env: Record<string, string> = {}) {
  const binary = process.env.ALAI_LITESTREAM ?? "";
  const { context, out: printed, err } = printing({ ALAI_LITESTREAM: binary, ...env }, {}, root);
  const input = { args: [], flags: { ...DEFAULTS, out: out(), ...flags } as never };
  const code = await command.run(context, input);
  return { code, text: printed.join(""), said: err.join("") };
}

function written(): Record<string, string> {
  return Object.fromEntries(readdirSync(out()).map((name) => [name, readFileSync(join(out(), name), "utf8")]));
}

interface Config {
  readonly addr: string;
  readonly socket: { readonly enabled: boolean; readonly path: string };
  readonly snapshot: unknown;
  readonly dbs: readonly {
    readonly path: string;
    readonly "monitor-interval": string;
    readonly replica: Record<string, unknown>;
  }[];
}

const configs = () =>
  Object.entries(written()).flatMap(([name, text]) =>
    name.endsWith(".yml") ? [[name, parse(text) as Config] as const] : [],
  );

describe("the real manifest's primary", () => {
  test("four configs, one for each retention, and the real binary lists all 69 databases", async () => {
    const { code, text } = await render({ epoch: 7 });
    expect([code, text.split("\n").map((line) => line.split("\t")[0])]).toEqual([
      0,
      [
        ...["litestream-p0-critical.yml", "litestream-p0-financial.yml", "litestream-p1.yml", "litestream-p2.yml"],
        ...["com.alai.host-agent.plist", ""],
      ],
    ]);
    expect(configs().map(([, { snapshot, dbs }]) => [snapshot, dbs.length])).toEqual([
      [{ interval: "6h", retention: "168h" }, 13],
      [{ interval: "6h", retention: "720h" }, 4],
      [{ interval: "24h", retention: "72h" }, 42],
      [{ interval: "24h", retention: "24h" }, 10],
    ]);
    for (const [name, { dbs }] of configs()) {
      const { exit, stdout } = await runBinary({ env: {} }, ["databases", "-json", "-config", join(out(), name)]);
      const listed = (JSON.parse(stdout) as { path: string }[]).map(({ path }) => path);
      expect([exit, listed]).toEqual([0, dbs.map(({ path }) => path)]);
    }
  });

  test("replicas are below their epoch; what is looked at as seldom as it is sent", async () => {
    await render({ epoch: 7 });
    const dbs = configs().flatMap(([, config]) => config.dbs);
    const one = (path: string) => dbs.find((db) => db.path.endsWith(`/${path}`));
    expect(one("mc.db")).toEqual({
      path: "/Users/makinja/system/databases/mc.db",
      "monitor-interval": "1s",
      replica: {
        ...{ type: "abs", "account-name": "alaibackups0ebb", bucket: "system-db-backups" },
        ...{ path: "litestream/e7/mc-db", "sync-interval": "1s", "auto-recover": false },
      },
    });
    for (const [path, interval] of [
      ["flywheel.db", "30s"],
      ["hivemind-archive.db", "10s"],
      ["vcr.db", "10s"],
    ] as const)
      expect(one(path)).toMatchObject({ "monitor-interval": interval, replica: { "sync-interval": interval } });
    expect(new Set(dbs.map(({ replica }) => replica.path)).size).toBe(69);
  });

  test("a port and a socket for each process, the socket's path short enough for a Mac", async () => {
    await render({});
    const all = configs().map(([, config]) => config);
    expect(new Set(all.map(({ addr }) => addr)).size).toBe(4);
    expect(new Set(all.map(({ socket }) => socket.path)).size).toBe(4);
    for (const { addr, socket } of all) {
      expect(addr).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(addr).not.toBe("127.0.0.1:9470");
      expect([socket.enabled, Buffer.byteLength(socket.path) < 104]).toEqual([true, true]);
    }
  });

  test("every key in them is one that the binary knows", async () => {
    await render({});
    const program = readFileSync(process.env.ALAI_LITESTREAM ?? "").toString("latin1");
    const keys = Object.values(written()).flatMap((text) =>
      [...text.matchAll(/^[ -]*([a-z0-9-]+):/gm)].map(([, key]) => key),
    );
    const unknown = [...new Set(keys)].filter((key) => !program.includes(`yaml:"${key}`));
    expect([keys.length > 100, unknown]).toEqual([true, []]);
  });

  test("no secret is in any file, and only their owner may read them", async () => {
    await render({}, SECRETS);
    for (const [name, text] of Object.entries(written())) {
      expect(text).not.toContain("hush");
      expect([name, statSync(join(out(), name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test("the unit starts the agent alone, as the host's user", async () => {
    await render({ installed: "/etc/alai/dr.manifest.yaml" });
    const plist = written()["com.alai.host-agent.plist"] ?? "";
    const strings = [...plist.matchAll(/<string>([^<]*)<\/string>/g)].map(([, text]) => text);
    expect(strings).toEqual(
      expect.arrayContaining([
        ...["/usr/local/bin/alai", "host", "agent", "--host", "anvil", "--manifest", "/etc/alai/dr.manifest.yaml"],
        "makinja",
      ]),
    );
    expect(plist).not.toMatch(/<string>[^<]*litestream/i);
    expect(
      spawnSync("python3", ["-c", "import plistlib,sys; plistlib.loads(sys.stdin.buffer.read())"], { input: plist })
        .status,
    ).toBe(0);
  });
});

describe("again", () => {
  test("the same changes nothing; another epoch is shown, found and written", async () => {
    await render({});
    const before = written();
    expect((await render({ check: true })).code).toBe(0);
    expect((await render({ diff: true })).text).toBe("");
    expect((await render({ epoch: 2, check: true })).code).toBe(1);
    const { text } = await render({ epoch: 2, diff: true });
    expect(text).toContain(
      '-      path: "litestream/e1/mission-control"\n+      path: "litestream/e2/mission-control"\n',
    );
    expect(written()).toEqual(before);
    await render({ epoch: 2 });
    expect(written()["litestream-p1.yml"]).toContain("e2/flywheel");
    expect((await render({ epoch: 2, check: true })).code).toBe(0);
  });

  test("a file of ours that is no longer made goes; another's stays", async () => {
    const small = join(root, "small.yaml");
    const text = readFileSync(EXAMPLE, "utf8")
      .split("\n")
      .filter((line) => !line.includes("tier: p2"))
      .join("\n");
    writeFileSync(small, text);
    await render({});
    writeFileSync(join(out(), "own.yml"), "mine");
    expect((await render({ manifest: small, check: true })).text).toContain("litestream-p2.yml\tstale");
    await render({ manifest: small });
    expect(readdirSync(out()).toSorted()).toEqual([
      ...[
        "com.alai.host-agent.plist",
        "litestream-p0-critical.yml",
        "litestream-p0-financial.yml",
        "litestream-p1.yml",
      ],
      "own.yml",
    ]);
  });

  test.each([
    ["of somebody", "dbs: []\n"],
    ["of another host", null],
  ])("a file %s is never overwritten", async (_, text) => {
    if (text === null) await render({ host: "forge" });
    else {
      await render({});
      writeFileSync(join(out(), "litestream-p1.yml"), text);
    }
    const before = written();
    await expect(render({ epoch: 3 })).rejects.toMatchObject({ exit: 1, code: "not_ours" });
    expect(written()).toEqual(before);
  });
});

test("a standby has the unit alone, and needs no Litestream to render", async () => {
  await render({ host: "forge" }, { ALAI_LITESTREAM: "/nowhere" });
  expect(Object.keys(written())).toEqual(["com.alai.host-agent.plist"]);
  expect(written()["com.alai.host-agent.plist"]).toContain("<string>basicas</string>");
});

describe("the epoch", () => {
  const ask = { epoch: undefined, unvalidated: true };
  const storage = () => join(root, "storage");
  /** The example with its storage in a folder, of which the test says what it knows. */
  function here(primary: string | null): string {
    const file = join(root, "here.yaml");
    const text = readFileSync(EXAMPLE, "utf8").replace(
      /^storage:\n(?: .*\n)+/m,
      () => `storage: { type: file, path: ${storage()} }\n`,
    );
    writeFileSync(file, text);
    mkdirSync(join(storage(), "_alai"), { recursive: true });
    if (primary !== null) writeFileSync(join(storage(), "_alai", "primary.json"), primary);
    return file;
  }
  const promoted = (owner: string) => JSON.stringify({ epoch: 4, owner, state: "primary" });
  const epochs = () => configs().map(([, { dbs }]) => /\/(e\d+)\//.exec(String(dbs[0]?.replica.path))?.[1]);

  test("is what storage says, and is said", async () => {
    const { said } = await render({ manifest: here(null), ...ask });
    expect([epochs(), said]).toEqual([Array(4).fill("e1"), `Epoch 1: the folder ${storage()} knows of no failover.\n`]);
    const again = await render({ manifest: here(promoted("anvil")), ...ask });
    expect([epochs(), again.said]).toEqual([
      Array(4).fill("e4"),
      `Epoch 4, as _alai/primary.json of the folder ${storage()} says: anvil is the primary.\n`,
    ]);
  });

  test("of who was promoted: it has the configs, and who was the primary has none, whatever the manifest says", async () => {
    const manifest = here(promoted("forge"));
    const forge = await render({ manifest, host: "forge", ...ask });
    expect([epochs(), forge.said]).toEqual([
      Array(4).fill("e4"),
      expect.stringMatching(
        /forge is the primary\. The manifest says that forge is the standby: change the roles there/,
      ),
    ]);
    const anvil = await render({ manifest, out: join(root, "anvil"), ...ask });
    expect(readdirSync(join(root, "anvil"))).toEqual(["com.alai.host-agent.plist"]);
    expect(anvil.said).toMatch(/The manifest says that anvil is the primary/);
    // By hand: the manifest's roles.
    await render({ manifest, out: join(root, "hand"), epoch: 4, unvalidated: true });
    expect(readdirSync(join(root, "hand"))).toHaveLength(5);
  });

  test.each<[string, () => void, number, RegExp]>([
    [
      "gone",
      () => rmSync(storage(), { recursive: true }),
      69,
      /The folder .* is not there\..*mkdir .*\. Or type --epoch N/,
    ],
    [
      "not understood",
      () => writeFileSync(join(storage(), "_alai", "primary.json"), "x"),
      69,
      /cannot be understood.*\. Type --epoch N/,
    ],
  ])(
    "that storage does not say, because it is %s: nothing is written for the primary",
    async (_, breaks, exit, says) => {
      const manifest = here(null);
      breaks();
      const refused = await render({ manifest, ...ask }).catch((error: unknown) => error);
      const { message, hint } = refused as { message: string; hint: string };
      expect(refused).toMatchObject({
        exit,
        code: "epoch_unknown",
        message: expect.stringContaining("which epoch it is"),
      });
      expect(`${message} ${hint}`).toMatch(says);
      expect(() => readdirSync(out())).toThrow("ENOENT");
      const standby = await render({ manifest, host: "forge", ...ask });
      expect([Object.keys(written()), standby.said]).toEqual([
        ["com.alai.host-agent.plist"],
        expect.stringMatching(/Whether forge was promoted is not known, so it gets the unit alone/),
      ]);
    },
  );

  test("that nobody may ask for is a matter of signing in (4)", async () => {
    await expect(render({ ...ask })).rejects.toMatchObject({
      exit: 4,
      hint: expect.stringMatching(/Or type --epoch N: the epoch that alai dr status shows/),
    });
  });
});

test("a systemd unit that systemd takes", async () => {
  const linux = join(root, "linux.yaml");
  writeFileSync(linux, readFileSync(EXAMPLE, "utf8").replaceAll("os: darwin", "os: linux"));
  await render({ manifest: linux, host: "forge", installed: "/srv/a b/100%/$x.yaml", program: "/bin/true" });
  const file = join(out(), "alai-host-agent.service");
  const text = readFileSync(file, "utf8");
  expect(text).toContain('ExecStart=/bin/true host agent --host forge --manifest "/srv/a b/100%%/$$x.yaml"');
  expect(text).toContain("User=basicas\n");
  const verify = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  if (!verify.error) expect(verify.stderr).not.toContain("alai-host-agent");
});

test("what the unit starts: what is said, else this program by its path, else the one on a daemon's PATH", () => {
  const on = (os: "linux" | "darwin") => ({ name: "forge", user: "me", os }) as Host;
  const here = (self: string[], asked?: string) => programOfUnit({ self, platform: "linux" }, on("linux"), asked);
  expect(here(["/opt/alai/alai"])).toEqual({ words: ["/opt/alai/alai"], doubts: [] });
  expect(here(["/opt/node", "--", "/opt/alai.js"]).words).toEqual(["/opt/node", "--", "/opt/alai.js"]);
  const [personal = ""] = here(["/home/ann/.local/bin/alai"]).doubts;
  expect(personal).toMatch(/\/home\/ann\/\.local\/bin\/alai, which is in a person's home: me, as whom it runs/);
  expect(here(["/home/ann/.local/bin/alai"], "/usr/local/bin/alai")).toEqual({
    words: ["/usr/local/bin/alai"],
    doubts: [],
  });
  const other = programOfUnit({ self: ["/opt/alai/alai"], platform: "linux" }, on("darwin"), undefined);
  expect(other.words).toEqual(["/usr/bin/env", "alai"]);
  expect(other.doubts[0]).toMatch(/Where alai is on forge is not known here.*--program PATH/);
  expect(() => here(["/opt/alai/alai"], "alai")).toThrow(/not an absolute path/);
});

test.each([
  ["lists one too few", "[]", 0],
  ["cannot read it", "", 1],
])("a binary that %s: nothing is written", async (_, says, code) => {
  const fake = join(root, "litestream");
  writeFileSync(
    fake,
    `#!/bin/sh\n[ "$1" = version ] && echo 0.5.17 && exit\necho '${says}'; echo broken >&2; exit ${code}\n`,
  );
  chmodSync(fake, 0o755);
  await expect(render({}, { ALAI_LITESTREAM: fake, PATH: "/bin:/usr/bin" })).rejects.toMatchObject({
    exit: 1,
    code: "config_refused",
  });
  expect(() => readdirSync(out())).toThrow("ENOENT");
});
