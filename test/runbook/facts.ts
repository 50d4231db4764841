import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/dr/manifest/model.ts";
import { parseManifest } from "../../src/dr/manifest/parse.ts";
import type { DatabaseStatus, Status } from "../../src/dr/status/status.ts";
import type { Drill } from "../../src/runbook/drills.ts";
import type { Facts } from "../../src/runbook/page.ts";

export const AT = Date.UTC(2026, 10, 21, 10, 0, 0);

/** The real one that is shipped. */
export function example(change: (text: string) => string = (text) => text): Manifest {
  const file = join(import.meta.dirname, "..", "..", "docs", "examples", "alai", "dr.manifest.yaml");
  return parseManifest(change(readFileSync(file, "utf8")), "dr.manifest.yaml");
}

/** A state in which everything happens. */
export function madeUp(manifest: Manifest): Status {
  const levels = ["ok", "ok", "degraded", "unproven", "breached", "unknown", "empty"] as const;
  const databases = manifest.databases.map(
    ({ name, tier }, at): DatabaseStatus => ({
      ...{ name, tier: tier.name, level: levels[at % levels.length] ?? "ok", evidence: at % 2 === 0 ? "A" : "B" },
      ...{
        rpo: at === 5 ? null : at * 1000,
        limit: tier.rpo,
        committed: null,
        shipped: null,
        applied: null,
        published: null,
      },
      ...{
        shipLag: 0,
        copyLag: null,
        applyLag: null,
        breaches: [],
        provenAt: AT - 3_600_000 - at,
        reasons: at % 7 === 4 ? ["It | is <b>old</b>."] : [],
      },
    }),
  );
  const hosts = manifest.hosts.map(({ name, role, addresses }, at) => ({
    ...{ name, role, answers: at === 0, address: at === 0 ? (addresses[0] ?? null) : null, version: "1.2.3", epoch: 3 },
    ...{ trouble: at === 0 ? null : "no answer within 3 s", clockAhead: 0 },
    alarms:
      at === 0
        ? [{ kind: "disk_low", subject: "/", since: AT - 60_000, sentence: "Its disk has 0.5 GiB free." } as const]
        : [],
  }));
  const storage = { label: "Azure Blob", epoch: 3, owner: "anvil", listedAt: AT, trouble: null };
  return { at: AT, level: "breached", epoch: 3, hosts, storage, databases };
}

export function drill(manifest: Manifest, more: Partial<Drill> = {}): Drill {
  return {
    ...{ id: "20261120T030000Z-aaaaaa", startedAt: AT - 86_400_000, mode: "isolated", verdict: "PASS" },
    ...{ restoreSeconds: 132.4, rpoWorstSeconds: 1.93, findings: 0 },
    databases: manifest.databases.map(({ name }, at) => ({ name, seconds: at / 10, ok: true })),
    ...more,
  };
}

export function facts(more: Partial<Facts> = {}): Facts {
  const manifest = more.manifest ?? example();
  return { manifest, status: madeUp(manifest), drills: [drill(manifest)], ...more };
}
