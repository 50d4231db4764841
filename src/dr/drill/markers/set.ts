import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join, posix } from "node:path";
import type { Millis } from "@alai/core";
import type { Database, Host, Manifest, Tier } from "../../manifest/model.ts";
import { type LitestreamConfig, renderConfigs } from "../../render/configs.ts";
import { DRILLS } from "../place.ts";

/** Kept for as long as the drill runs; every tier the same, so that one Litestream has all of them. */
const KEPT: Millis = 3_600_000;

/** One database for each tier, in scratch, shipped as that tier's databases are. */
export interface SacrificialSet {
  readonly databases: readonly { readonly name: string; readonly file: string; readonly tier: Tier }[];
  /** Of the Litestream that ships them. */
  readonly configFile: string;
  /** Where their replicas are, below the storage's prefix. */
  readonly prefix: string;
}

/** Makes the folders and the config, by the same rendering that production has. */
export async function prepareSet(
  manifest: Manifest,
  { id, scratch, platform }: { readonly id: string; readonly scratch: string; readonly platform: string },
): Promise<SacrificialSet> {
  const tiers = [...new Set(manifest.databases.map(({ tier }) => tier))].toSorted((a, b) => a.order - b.order);
  const folder = join(scratch, "databases");
  for (const part of [folder, join(scratch, "run")]) mkdirSync(part, { recursive: true, mode: 0o700 });
  const host: Host = {
    ...{ name: "drill", role: "primary", user: "", os: platform === "darwin" ? "darwin" : "linux", addresses: [] },
    ...{ databases: folder, state: scratch },
    // What is rendered takes the port after the host's own.
    port: (await freePort()) - 1,
  };
  const databases = tiers.map(sacrificial);
  const { storage } = manifest;
  const there = { ...storage, prefix: posix.join(storage.prefix, DRILLS, id) };
  const [config] = renderConfigs({ ...manifest, hosts: [host], storage: there, databases }, host, { epoch: 1 });
  const configFile = writeConfig(scratch, config);
  const files = databases.map(({ name, path, tier }, at) => ({
    name,
    file: join(folder, path),
    tier: tiers[at] ?? tier,
  }));
  return { databases: files, configFile, prefix: `${DRILLS}${id}/e1/` };
}

function sacrificial(tier: Tier): Database {
  const name = `drill-${tier.name}`;
  return {
    ...{ name, path: `${name}.db`, tier: { ...tier, retention: KEPT, snapshotInterval: KEPT } },
    ...{ syncInterval: tier.syncInterval, heartbeat: null, follow: false, owner: null },
    ...{ size: null, sizeClass: "unknown", optional: false },
  };
}

function writeConfig(scratch: string, config: LitestreamConfig | undefined): string {
  if (!config) throw new TypeError("A manifest without databases has nothing to drill.");
  const file = join(scratch, config.name);
  writeFileSync(file, config.text, { mode: 0o600 });
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
