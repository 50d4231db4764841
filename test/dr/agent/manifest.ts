import { join } from "node:path";
import type { Manifest } from "../../../src/dr/manifest/model.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";

/** Of two hosts, the first one the primary, and one database without heartbeats; everything below one folder. */
export function manifestIn(at: string): Manifest {
  const host = { user: "alai", os: "linux", addresses: ["127.0.0.1"] };
  const text = {
    hosts: [
      { name: "anvil", role: "primary", ...host, port: 7801, databases: join(at, "db"), state: join(at, "anvil") },
      { name: "forge", role: "standby", ...host, port: 7901, databases: join(at, "copies"), state: join(at, "forge") },
    ],
    storage: { type: "file", path: join(at, "storage") },
    tiers: [
      { name: "p0", heartbeat: "none", retention: "1h", "snapshot-interval": "10m", "sync-interval": "1s", rpo: "60s" },
    ],
    databases: [{ name: "mc", tier: "p0" }],
  };
  return parseManifest(JSON.stringify(text), "m.yaml");
}
