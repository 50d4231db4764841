import { join } from "node:path";
import type { Millis } from "@alai/core";
import { filesByReplica } from "../../ltx/name.ts";
import type { Tier } from "../../manifest/model.ts";
import { restoreMany } from "../../restore/many.ts";
import { chooseTarget } from "../../restore/target.ts";
import type { Storage } from "../../storage/storage.ts";
import type { MarkedDatabase } from "../report.ts";
import { lookInto } from "../restore-all.ts";
import type { SacrificialSet } from "./set.ts";
import type { Witnessed } from "./witness.ts";

/** Rows that are in a restored database, up to the last one of which the witness was told. */
interface Found {
  readonly rows: number;
  /** When the last of them was written, by the writer's clock; null: there is none. */
  readonly at: Millis | null;
}

/** Restores what was shipped, and holds it against what the witness knows. Throws what a restore fails with. */
export async function restoreSet(
  storage: Storage,
  { databases, prefix }: SacrificialSet,
  witnessed: ReadonlyMap<string, Witnessed>,
  scratch: string,
): Promise<readonly MarkedDatabase[]> {
  const replicas = filesByReplica(await storage.list(prefix), prefix);
  const jobs = databases.map(({ name, tier }) => ({
    ...{ name, tier, out: join(scratch, "restored", `${name}.db`) },
    target: chooseTarget(name, replicas.get(name) ?? [], {}),
  }));
  const outcomes = await restoreMany(jobs, { storage, check: { mode: "quick" } });
  return outcomes.map((outcome) => {
    if ("error" in outcome) throw outcome.error;
    const { name, tier, out } = outcome.job;
    const last = witnessed.get(name);
    if (!last) throw new Error(`The witness was told of no row of ${name}.`);
    return counted(name, tier, last, readMarkers(out, last.seq));
  });
}

function readMarkers(file: string, seq: number): Found {
  return lookInto(file, (db) => {
    const row = db.prepare("SELECT count(*) AS rows, max(at_ms) AS at FROM marker WHERE seq <= ?").get(seq);
    return { rows: Number(row?.rows), at: row?.at === null ? null : Number(row?.at) };
  });
}

/** Rows were numbered without a gap from 1 on, and the witness was told of every one. */
export function counted(
  name: string,
  tier: Pick<Tier, "name" | "rpo">,
  { acknowledged, first, at }: Witnessed,
  found: Found,
): MarkedDatabase {
  const lost = Math.max(0, acknowledged - found.rows);
  return {
    ...{ name, tier: tier.name, acknowledged, restored: found.rows, lost },
    // With nothing lost both are the same row; with everything lost it goes back to the first one.
    rpoSeconds: Math.max(0, at - (found.at ?? first)) / 1000,
    limitSeconds: tier.rpo / 1000,
  };
}
