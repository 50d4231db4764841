import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Checked } from "../copy/check.ts";
import type { Database } from "../manifest/model.ts";
import { type ManyJob, type Outcome, restoreMany } from "../restore/many.ts";
import { listReplicas, type Replica } from "../restore/replicas.ts";
import { chooseTarget } from "../restore/target.ts";
import { type Storage, StorageError } from "../storage/storage.ts";

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

interface Job extends ManyJob {
  readonly epoch: number;
}

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
  options: { readonly scratch: string; readonly onBytes: OnBytes },
): Promise<RestoredAll> {
  const began = monotonic();
  const byName = new Map<string, Restoration>();
  await restoreOnce(storage, databases, { ...options, byName });
  // Litestream puts small files together and removes them while others are restored: what was listed may be gone.
  const outdated = databases.filter(({ name }) => isOutdated(byName.get(name)));
  if (outdated.length > 0) await restoreOnce(storage, outdated, { ...options, byName });
  return { byName, took: monotonic() - began };
}

async function restoreOnce(
  storage: Storage,
  databases: readonly Database[],
  { scratch, onBytes, byName }: { scratch: string; onBytes: OnBytes; byName: Map<string, Restoration> },
): Promise<void> {
  const replicas = await listReplicas(storage);
  const jobs = databases.flatMap((database) => {
    const job = jobOf(database, replicas.get(database.name)?.[0], scratch);
    if ("kind" in job) byName.set(database.name, job);
    return "kind" in job ? [] : [job];
  });
  const total = jobs.reduce((sum, { target }) => sum + target.files.reduce((all, { size }) => all + size, 0), 0);
  let done = 0;
  await restoreMany(jobs, {
    storage,
    check: { mode: "quick" },
    onBytes(bytes) {
      done += bytes;
      onBytes(done, total);
    },
    onDone: (outcome) => {
      byName.set(outcome.job.name, restorationOf(outcome));
    },
  });
}

function isOutdated(restoration: Restoration | undefined): boolean {
  if (restoration?.kind !== "failed") return false;
  const { error } = restoration;
  return error instanceof StorageError && error.trouble === "missing";
}

/** What to restore, or why there is nothing to. */
function jobOf({ name }: Database, replica: Replica | undefined, scratch: string): Job | Restoration {
  if (!replica) return { kind: "none" };
  const { epoch, files } = replica;
  try {
    return { name, epoch, out: join(scratch, "restored", `${name}.db`), target: chooseTarget(name, files, {}) };
  } catch (error) {
    return { kind: "failed", epoch, error };
  }
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
