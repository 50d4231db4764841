import { monotonic } from "@alai/core/monotonic";
import type { Database } from "../manifest/model.ts";
import type { Storage } from "../storage/storage.ts";
import { isOutdated, type ReplicaListing, type Replicas } from "./listing.ts";
import type { ManyJob } from "./many.ts";
import { requireReplica } from "./replicas.ts";
import { refuseToOverwrite } from "./restore.ts";
import { chooseTarget, type Wish } from "./target.ts";

/** Which database is restored from which epoch, and where to. */
export interface Job extends ManyJob {
  readonly epoch: number;
}

/** One that cannot even be begun, and why. */
export interface Refused {
  readonly job: Pick<Job, "name" | "out"> & { readonly epoch: number | null };
  readonly error: unknown;
}

export interface PlanOptions {
  readonly storage: Storage;
  readonly epoch?: number | undefined;
  readonly wish: Wish;
}

export interface JobsOptions extends PlanOptions {
  readonly listing: ReplicaListing;
  readonly placeOf: (database: Database) => string;
}

/**
 * What to restore of each, in this order. A replica that is broken is in the answer, and stops no other. Throws StorageError where
 * storage cannot be listed.
 */
export async function jobsFor(
  databases: readonly Database[],
  options: JobsOptions,
): Promise<readonly (Job | Refused)[]> {
  const plan = (replicas: Replicas) => databases.map((database) => jobFor(database, replicas, options));
  const began = monotonic();
  const planned = plan(await options.listing.replicas);
  // Files were put together while they were listed, perhaps: what a second listing lacks too is not there.
  return planned.some((one) => "error" in one && isOutdated(one.error))
    ? plan(await options.listing.after(began))
    : planned;
}

/** The same again by a newer listing. Throws where that has no way to it. */
export function planAgain(
  { name, out }: Pick<Job, "name" | "out">,
  replicas: Replicas,
  { storage, epoch, wish }: PlanOptions,
): Job {
  const replica = requireReplica(replicas, name, { storage, epoch });
  return { name, out, epoch: replica.epoch, target: chooseTarget(name, replica.files, wish) };
}

function jobFor(database: Database, replicas: Replicas, options: JobsOptions): Job | Refused {
  const { name } = database;
  const out = options.placeOf(database);
  const newest = replicas.get(name)?.[0]?.epoch ?? null;
  try {
    refuseToOverwrite(out);
    return planAgain({ name, out }, replicas, options);
  } catch (error) {
    return { job: { name, out, epoch: newest }, error };
  }
}
