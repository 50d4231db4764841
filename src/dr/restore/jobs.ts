import type { Database } from "../manifest/model.ts";
import type { Storage } from "../storage/storage.ts";
import type { ManyJob } from "./many.ts";
import { type Replica, requireReplica } from "./replicas.ts";
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

export interface JobsOptions {
  readonly storage: Storage;
  readonly replicas: ReadonlyMap<string, readonly Replica[]>;
  readonly epoch?: number | undefined;
  readonly wish: Wish;
  readonly placeOf: (database: Database) => string;
}

/** What to restore of each, in this order. A replica that is broken is in the answer, and stops no other. */
export function jobsFor(databases: readonly Database[], options: JobsOptions): readonly (Job | Refused)[] {
  return databases.map((database) => jobFor(database, options));
}

function jobFor(database: Database, { storage, replicas, epoch, wish, placeOf }: JobsOptions): Job | Refused {
  const { name } = database;
  const out = placeOf(database);
  const newest = replicas.get(name)?.[0]?.epoch ?? null;
  try {
    const replica = requireReplica(replicas, name, { storage, epoch });
    refuseToOverwrite(out);
    return { name, out, epoch: replica.epoch, target: chooseTarget(name, replica.files, wish) };
  } catch (error) {
    return { job: { name, out, epoch: newest }, error };
  }
}
