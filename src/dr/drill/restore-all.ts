import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Checked } from "../copy/check.ts";
import type { Database } from "../manifest/model.ts";
import { type Job, jobsFor, planAgain, type Refused } from "../restore/jobs.ts";
import { ReplicaListing } from "../restore/listing.ts";
import { type Outcome, restoreMany } from "../restore/many.ts";
import type { Storage } from "../storage/storage.ts";

/** What one real restore of a database gave. */
export type Restoration =
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly epoch: number; readonly error: unknown }
  | {
      readonly kind: "restored";
      readonly epoch: number;
      readonly txid: number;
      /** Of the newest transaction in it, by the primary's clock. */
      readonly time: Millis;
      readonly bytes: number;
      readonly took: Millis;
      readonly beat: Checked["beat"];
      /** Whether a service has made a table in it. */
      readonly isOwned: boolean;
    };

export interface RestoredAll {
  readonly byName: ReadonlyMap<string, Restoration>;
  /** From the listing until the last one was checked. */
  readonly took: Millis;
}

/** How far it is: bytes of replicas that were read, of how many. */
export type OnBytes = (done: number, total: number) => void;

/** Tables that neither Litestream nor alai nor SQLite made. */
const OWNED = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_litestream\\_%' ESCAPE '\\'
  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_alai_hb' LIMIT 1`;

/**
 * Restores every database from storage into scratch, as `alai dr restore --all` does: checked, looked into, and removed before the
 * next takes its place. Throws StorageError where storage cannot be listed; whatever else fails is in what it returns.
 * @param databases begun in this order.
 */
export async function restoreAll(
  storage: Storage,
  databases: readonly Database[],
  { scratch, onBytes }: { readonly scratch: string; readonly onBytes: OnBytes },
): Promise<RestoredAll> {
  const began = monotonic();
  const byName = new Map<string, Restoration>();
  const listing = await ReplicaListing.make(storage);
  const placeOf = ({ name }: Database) => join(scratch, "restored", `${name}.db`);
  const planned = await jobsFor(databases, { storage, listing, wish: {}, placeOf });
  const jobs = planned.filter((one) => "target" in one);
  for (const one of planned) if ("error" in one) byName.set(one.job.name, notBegun(one));
  const total = jobs.reduce((sum, { target }) => sum + target.files.reduce((all, { size }) => all + size, 0), 0);
  let done = 0;
  await restoreMany(jobs, {
    storage,
    check: { mode: "quick" },
    again: { listing, plan: (job, replicas) => planAgain(job, replicas, { storage, wish: {} }) },
    onBytes(bytes) {
      done += bytes;
      onBytes(done, total);
    },
    onDone: (outcome) => {
      byName.set(outcome.job.name, restorationOf(outcome));
    },
  });
  return { byName, took: monotonic() - began };
}

/** Nothing of it is in storage, or no way through its files. */
function notBegun({ job: { epoch }, error }: Refused): Restoration {
  return epoch === null ? { kind: "none" } : { kind: "failed", epoch, error };
}

function restorationOf(outcome: Outcome<Job>): Restoration {
  const { epoch, out } = outcome.job;
  if ("error" in outcome) return { kind: "failed", epoch, error: outcome.error };
  try {
    const { txid, time, size: bytes, took, checked } = outcome.restored;
    return { kind: "restored", epoch, txid, time, bytes, took, beat: checked.beat, isOwned: isOwned(out) };
  } finally {
    rmSync(out, { force: true });
  }
}

function isOwned(file: string): boolean {
  return lookInto(file, (db) => db.prepare(OWNED).get() !== undefined);
}

/** Reads a restored file that nobody writes, and leaves nothing beside it. */
export function lookInto<T>(file: string, look: (db: DatabaseSync) => T): T {
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  const db = new DatabaseSync(url.href, { readOnly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
