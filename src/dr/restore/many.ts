import { availableParallelism } from "node:os";
import { Checker, type CheckWish } from "../copy/check.ts";
import { Slots } from "../copy/slots.ts";
import type { Storage } from "../storage/storage.ts";
import { type Restored, restoreDatabase } from "./restore.ts";
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

export interface ManyOptions<J extends ManyJob> {
  readonly storage: Storage;
  readonly check: CheckWish;
  readonly onBytes?: (bytes: number) => void;
  /** Told of each when it is done; the database is used then, before the next takes its place. */
  readonly onDone?: (outcome: Outcome<J>) => Promise<void> | void;
}

/** Restores databases, begun in this order, some at once. One that fails stops no other. @returns in the order of `jobs`. */
export async function restoreMany<J extends ManyJob>(
  jobs: readonly J[],
  { storage, check, onBytes, onDone }: ManyOptions<J>,
): Promise<readonly Outcome<J>[]> {
  const checker = new Checker(Math.max(1, Math.min(AT_ONCE, availableParallelism())));
  const slots = new Slots(AT_ONCE);
  const one = async (job: J): Promise<Outcome<J>> => {
    const outcome = await restoreDatabase({ ...job, storage, checker, check, ...(onBytes && { onBytes }) }).then(
      (restored) => ({ job, restored }),
      (error: unknown) => ({ job, error }),
    );
    await onDone?.(outcome);
    return outcome;
  };
  try {
    return await Promise.all(jobs.map((job) => slots.run(() => one(job))));
  } finally {
    await checker.close();
  }
}
