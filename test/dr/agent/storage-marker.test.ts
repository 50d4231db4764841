import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command } from "../../../src/commands/dr/storage-accept.ts";
import { KnownStorage } from "../../../src/dr/agent/known-storage.ts";
import type { Listed } from "../../../src/dr/agent/listing.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { filesByReplica, hexTxid } from "../../../src/dr/ltx/name.ts";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import { acceptStorage, MARKER_KEY, readMarker } from "../../../src/dr/marker.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { printing } from "../printing.ts";

const NOW = Date.parse("2026-11-21T20:00:00Z");
const S3: StorageSpec = { type: "s3", bucket: "b", region: "r", endpoint: null, prefix: "" };

let folder: string;
let now: number;
const states: AgentState[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-marker-"));
  mkdirSync(join(folder, "storage"));
  now = NOW;
});
afterEach(() => {
  for (const state of states.splice(0)) state.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = () => new FolderStorage({ path: join(folder, "storage"), prefix: "" }, 20_000);
const file = (): StorageSpec => ({ type: "file", path: join(folder, "storage"), prefix: "" });

/** What a host knows, as after a restart when its name was there before. */
function host(name: string, { storage = open(), spec = file() } = {}): KnownStorage {
  const state = new AgentState(join(folder, name, "agent.db"));
  states.push(state);
  const log = createLog(
    () => undefined,
    "1",
    () => now,
  );
  const clock = () => now;
  return new KnownStorage({
    ...{ manifest: { storage: spec }, host: { name }, storage, state, log, clock, monotonic: clock },
  });
}

/** The folder is another one from now on. @returns puts the first one back. */
function swap(): () => void {
  const [path, away] = [join(folder, "storage"), join(folder, "away")];
  renameSync(path, away);
  mkdirSync(path);
  return () => {
    rmSync(path, { recursive: true });
    renameSync(away, path);
  };
}

const ltx = (name: string, min: number, max: number) =>
  `e1/${name}/ltx/${min === 1 ? 9 : 0}/${hexTxid(min)}-${hexTxid(max)}.ltx`;

function listed(...keys: readonly string[]): Listed {
  const blobs = keys.map((key) => ({ key, size: 1, modified: now, stamp: now }));
  return { began: now, replicas: filesByReplica(blobs, "e1/") };
}

describe("the storage that a host remembers", () => {
  it("gets a marker from who writes, and is remembered by all; who only copies makes none", async () => {
    expect(await host("forge").look()).toBeNull();
    expect(await readMarker(open())).toBeNull();
    expect(await host("anvil").look({ mayBegin: true })).toBeNull();
    const { id, since } = (await readMarker(open())) ?? {};
    expect(since).toBe(NOW);
    expect(await host("forge").look()).toBeNull();
    expect(await host("anvil").look({ mayBegin: true })).toBeNull();
    expect((await readMarker(open()))?.id).toBe(id);
  });

  it("two who begin at once have one marker", async () => {
    const both = [host("anvil"), host("clone")];
    expect(await Promise.all(both.map((one) => one.look({ mayBegin: true })))).toEqual([null, null]);
    expect(both[0]?.marker?.id).toBe(both[1]?.marker?.id);
  });

  it("is from before its marker where it has replicas already: what was proven of them still is", async () => {
    await open().write(ltx("one", 1, 1), Buffer.from("x"));
    const anvil = host("anvil");
    await anvil.look({ mayBegin: true });
    expect(anvil.marker).toMatchObject({ since: null, acceptedAt: null });
  });

  it("is missed when another one is in its place, after a restart too, until it is back", async () => {
    const anvil = host("anvil");
    await anvil.look({ mayBegin: true });
    const back = swap();
    now += 5000;
    for (const one of [anvil, host("anvil")]) {
      const why = await one.look({ mayBegin: true });
      expect(why).toContain("is not the storage that was used until 2026-11-21T20:00:00");
      expect(why).toContain(`its marker (${MARKER_KEY}) is missing`);
      expect(why).toContain("alai dr storage accept --host anvil");
      expect(one.trouble).toMatchObject({ since: now, trouble: "foreign", message: why });
    }
    expect(await readMarker(open())).toBeNull();
    back();
    expect(await anvil.look({ mayBegin: true })).toBeNull();
    expect(anvil.trouble).toBeNull();
  });

  it("is missed where another one with a marker of its own is in its place", async () => {
    const anvil = host("anvil");
    await anvil.look({ mayBegin: true });
    swap();
    await host("elsewhere").look({ mayBegin: true });
    expect(await anvil.look()).toContain("is another one's");
  });

  it("at another address is another one, of which nothing is remembered", async () => {
    await host("anvil").look({ mayBegin: true });
    mkdirSync(join(folder, "second"));
    const spec = { ...file(), path: join(folder, "second") } as const;
    const moved = host("anvil", { spec, storage: new FolderStorage(spec, 20_000) });
    expect(await moved.look({ mayBegin: true })).toBeNull();
    expect(moved.marker).not.toBeNull();
  });

  it("that cannot be understood is trouble with storage, and none is made over it", async () => {
    await open().write(MARKER_KEY, Buffer.from("{}"));
    await expect(host("anvil").look({ mayBegin: true })).rejects.toMatchObject({ trouble: "failed" });
    expect(Buffer.from((await open().read(MARKER_KEY)).body).toString()).toBe("{}");
  });

  it("of a service is read once a minute, unless there is doubt; each time while it is another one", async () => {
    const storage = open();
    const anvil = host("anvil", { storage, spec: S3 });
    await anvil.look({ mayBegin: true });
    const reads = () => storage.operations.read;
    const before = reads();
    now += 59_000;
    await anvil.look();
    expect(reads()).toBe(before);
    await anvil.look({ now: true });
    expect(reads()).toBe(before + 1);
    swap();
    now += 60_000;
    for (const _ of [1, 2]) expect(await anvil.look()).not.toBeNull();
    expect(reads()).toBe(before + 3);
  });
});

describe("a listing is doubted", () => {
  it("when it is the first, has less than the last, or no whole image; and only then", async () => {
    const anvil = host("anvil");
    const forge = host("forge");
    await forge.look();
    forge.listed(listed());
    expect(forge.isDoubtful(listed())).toBe(true);
    await anvil.look({ mayBegin: true });
    await forge.look({ now: true });
    expect(forge.isDoubtful(listed())).toBe(false);
    const whole = [ltx("one", 1, 4), ltx("one", 5, 6), ltx("idle", 1, 1)];
    expect(anvil.isDoubtful(listed(...whole))).toBe(true);
    anvil.listed(listed(...whole));
    expect(anvil.isDoubtful(listed(...whole))).toBe(false);
    expect(anvil.isDoubtful(listed(...whole, ltx("one", 7, 7), ltx("new", 1, 1)))).toBe(false);
    expect(anvil.isDoubtful(listed(ltx("one", 1, 4), ltx("idle", 1, 1)))).toBe(true);
    expect(anvil.isDoubtful(listed(ltx("one", 1, 6)))).toBe(true);
    // As Litestream leaves an empty folder in which it goes on.
    expect(anvil.isDoubtful(listed(ltx("one", 7, 7), ltx("idle", 1, 1)))).toBe(true);
    anvil.forgetListing();
    expect(anvil.isDoubtful(listed(...whole))).toBe(true);
  });
});

describe("a storage that a person accepts", () => {
  it("is the one from then on for every host, and the one before is not any more", async () => {
    const hosts = [host("anvil"), host("forge")];
    for (const one of hosts) await one.look({ mayBegin: true });
    const remembered = hosts[0]?.marker?.id ?? "";
    const back = swap();
    for (const one of hosts) expect(await one.look()).not.toBeNull();
    now += 1000;
    expect(await acceptStorage(open(), remembered, now)).toMatchObject({ since: now, acceptedAt: now });
    for (const one of hosts) expect(await one.look()).toBeNull();
    for (const one of hosts) expect(one.trouble).toBeNull();
    back();
    for (const one of hosts) expect(await one.look({ now: true })).toContain("is another one's");
  });

  it("with a marker of its own goes on for those who remember that", async () => {
    const anvil = host("anvil");
    await anvil.look({ mayBegin: true });
    const remembered = anvil.marker?.id ?? "";
    swap();
    const other = host("elsewhere");
    await other.look({ mayBegin: true });
    await acceptStorage(open(), remembered, now);
    expect(await anvil.look()).toBeNull();
    expect(await other.look({ now: true })).toBeNull();
  });

  it("and is the one that it was keeps its id", async () => {
    const anvil = host("anvil");
    await anvil.look({ mayBegin: true });
    const id = anvil.marker?.id ?? "";
    expect(await acceptStorage(open(), id, now + 9)).toMatchObject({ id, since: NOW, acceptedAt: now + 9 });
  });
});

describe("alai dr storage accept", () => {
  const accept = async (flags: object = {}) => {
    const manifest = join(folder, "m.yaml");
    const at = (name: string) => ({ databases: join(folder, `${name}-db`), state: join(folder, name) });
    const hosts = [
      { name: "anvil", role: "primary", user: "me", os: "linux", addresses: ["127.0.0.1"], port: 7801, ...at("anvil") },
      { name: "forge", role: "standby", user: "me", os: "linux", addresses: ["127.0.0.1"], port: 7901, ...at("forge") },
    ];
    const tiers = [{ name: "p0", retention: "1h", "snapshot-interval": "10m", "sync-interval": "1s", rpo: "60s" }];
    const storage = { type: "file", path: join(folder, "storage") };
    const databases = [{ name: "one", tier: "p0" }];
    writeFileSync(manifest, JSON.stringify({ hosts, storage, tiers, databases }));
    const { context, out } = printing();
    const exit = await command.run(context, { args: [], flags: { manifest, ...flags } as never });
    return { exit, out: out.join("") };
  };

  it("makes what is there the storage, by what the agent of this machine remembers", async () => {
    const forge = host("forge");
    await forge.look({ mayBegin: true });
    swap();
    expect(await forge.look()).not.toBeNull();
    expect(await accept()).toEqual({
      exit: 0,
      out: `the folder ${join(folder, "storage")} is the storage from now on. Agents go on with it within seconds; then type alai dr prove.\n`,
    });
    expect(await forge.look()).toBeNull();
    expect((await accept({ host: "forge" })).out).toContain("is the storage that it was");
  });

  it("refuses where no agent has run: nobody there knows which storage it was", async () => {
    await expect(accept()).rejects.toMatchObject({ exit: 3, code: "no_agent" });
    await host("forge").look();
    await expect(accept({ host: "anvil" })).rejects.toMatchObject({ exit: 3, code: "no_agent" });
    expect(await readMarker(open())).toBeNull();
  });
});
