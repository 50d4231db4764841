import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { LtxHole } from "../ltx/plan.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import { listReplicas, type Replica } from "./replicas.ts";

/** What one listing of storage showed: database's name → its replicas, newest epoch first. */
export type Replicas = ReadonlyMap<string, readonly Replica[]>;

/** With the first listing and with new ones. Files go with each compaction; those of a listing of now live for minutes. */
const ATTEMPTS = 3;

/** A listing of storage that many restores share, and that is made anew when it turns out to be out of date. */
export class ReplicaListing {
  readonly #storage: Storage;
  readonly #epoch: number | undefined;
  #began: number;
  #replicas: Promise<Replicas>;

  private constructor(storage: Storage, epoch: number | undefined) {
    this.#storage = storage;
    this.#epoch = epoch;
    this.#began = monotonic();
    this.#replicas = listReplicas(storage, epoch);
  }

  /** Throws StorageError. @param epoch only this one. */
  static async make(storage: Storage, epoch?: number): Promise<ReplicaListing> {
    const listing = new ReplicaListing(storage, epoch);
    await listing.#replicas;
    return listing;
  }

  /** As it was last listed. */
  get replicas(): Promise<Replicas> {
    return this.#replicas;
  }

  /** A listing that was begun after `time` of the monotonic clock: many who need one get the same. Throws StorageError. */
  after(time: number): Promise<Replicas> {
    if (this.#began > time) return this.#replicas;
    const before = this.#replicas;
    this.#began = monotonic();
    this.#replicas = listReplicas(this.#storage, this.#epoch);
    // Who waits for it learns of its failure; whoever comes later begins with the last good one.
    this.#replicas.catch(() => {
      this.#replicas = before;
      this.#began = Number.NEGATIVE_INFINITY;
    });
    return this.#replicas;
  }

  /**
   * Plans and restores by the last listing, and again by a new one where that turns out to be out of date: Litestream puts small
   * files together and removes them while others are restored, and while they are listed. Throws what `work` does, and Exit 1
   * where listing after listing names files that are not there.
   */
  async use<T>(work: (replicas: Replicas) => Promise<T>): Promise<T> {
    let replicas = this.#replicas;
    for (let attempt = 1; ; attempt += 1) {
      const began = monotonic();
      try {
        return await work(await replicas);
      } catch (error) {
        if (!isOutdated(error)) throw error;
        if (attempt === ATTEMPTS) throw error instanceof StorageError ? notThere(error) : error;
        replicas = this.after(began);
      }
    }
  }
}

/** What was listed may be gone, or a file that took its place not yet have been there. */
export function isOutdated(error: unknown): boolean {
  return error instanceof LtxHole || (error instanceof StorageError && error.trouble === "missing");
}

function notThere({ message }: StorageError): Exit {
  return new Exit(
    EXIT.refused,
    "files_gone",
    `Storage lists files that it does not have, ${ATTEMPTS} listings in a row: ${message}`,
    "Try again when less is written; where it stays so, storage has lost files that its listing still names.",
  );
}
