import { availableParallelism } from "node:os";
import { Checker, type CheckWish } from "../copy/check.ts";
import type { Storage } from "../storage/storage.ts";
import type { ReplicaListing, Replicas } from "./listing.ts";
import { type Restored, restoreDatabase } from "./restore.ts";
import { eachWithRoom, isNoRoom } from "./room.ts";
import type { Target } from "./target.ts";

/** Databases at once. One reads and unpacks here while others wait for storage and for their check. */
const AT_ONCE = 4;

/** One of several: which, as of when, and where to. */
export interface ManyJob {
  readonly name: string;
  readonly target: Target;
  readonly out: string;
}

/** What became of one of several. */
export type Outcome<J extends ManyJob> =
  | { readonly job: J; readonly restored: Restored }
  | { readonly job: J; readonly error: unknown };

export interface Again<J extends ManyJob> {
  /** By which the jobs were planned. */
  readonly listing: ReplicaListing;
  /** Throws where it cannot be done any more. */
  readonly plan: (job: J, replicas: Replicas) => J;
}

export interface ManyOptions<J extends ManyJob> {
  readonly storage: Storage;
  readonly check: CheckWish;
  /** How one is planned anew, by a listing that is newer; absent: nothing in storage changes meanwhile. */
  readonly again?: Again<J>;
  /** Told how much more of storage was read; below 0 where an attempt came to nothing. */
  readonly onBytes?: (bytes: number) => void;
  /** Told of each when it is done; the database is used then, before the next takes its place. */
  readonly onDone?: (outcome: Outcome<J>) => Promise<void> | void;
}

/** Restores databases, begun in this order, some at once. One that fails stops no other. @returns in the order of `jobs`. */
export async function restoreMany<J extends ManyJob>(
  jobs: readonly J[],
  options: ManyOptions<J>,
): Promise<readonly Outcome<J>[]> {
  const checker = new Checker(Math.max(1, Math.min(AT_ONCE, availableParallelism())));
  try {
    return await eachWithRoom<J, Outcome<J>>(jobs, {
      atOnce: AT_ONCE,
      work: (job) => restoreOne(job, checker, options).catch((error: unknown) => ({ job, error })),
      lacksRoom: (outcome) => "error" in outcome && isNoRoom(outcome.error),
      done: (outcome) => options.onDone?.(outcome),
    });
  } finally {
    await checker.close();
  }
}

/** @returns the job as it was planned last. */
async function restoreOne<J extends ManyJob>(
  job: J,
  checker: Checker,
  { storage, check, again, onBytes = () => undefined }: ManyOptions<J>,
): Promise<Outcome<J>> {
  const attempt = async (planned: J) => {
    let read = 0;
    const count = (bytes: number) => {
      read += bytes;
      onBytes(bytes);
    };
    try {
      return { job: planned, restored: await restoreDatabase({ ...planned, storage, checker, check, onBytes: count }) };
    } catch (error) {
      onBytes(-read);
      throw error;
    }
  };
  let isPlanned = true;
  return again
    ? again.listing.use((replicas) => {
        const planned = isPlanned ? job : again.plan(job, replicas);
        isPlanned = false;
        return attempt(planned);
      })
    : attempt(job);
}
