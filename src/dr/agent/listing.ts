import type { Millis } from "@alai/core";
import { filesByReplica, type LtxFile } from "../ltx/name.ts";
import type { HostReport } from "../report.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import { sentenceOf } from "./log.ts";

/** What a listing of one epoch showed. */
export interface Listed {
  /** When it was begun: what was there then is in it. */
  readonly began: Millis;
  readonly replicas: ReadonlyMap<string, readonly LtxFile[]>;
}

/**
 * Looks at all of an epoch in storage at once: one flat listing instead of nine a database. What was seen last stays known, with
 * its time, while storage does not answer.
 */
export class Listing {
  readonly #storage: Storage;
  readonly #clock: () => Millis;
  #listedAt: Millis | null = null;
  #trouble: HostReport["storageTrouble"] = null;
  /** When the calls began that have not come back. */
  readonly #running = new Set<{ readonly began: Millis }>();

  constructor(storage: Storage, clock: () => Millis) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** When the last one that came through whole was begun; null: none yet. */
  get listedAt(): Millis | null {
    return this.#listedAt;
  }

  /**
   * What storage last refused with; null when it last came through. A call that has not come back for `patience` is trouble
   * already: a frozen service is silent for as long as its deadline is.
   */
  trouble(patience: Millis): HostReport["storageTrouble"] {
    const [oldest] = this.#running;
    if (this.#trouble === null && oldest && this.#clock() - oldest.began > patience)
      return { since: oldest.began, trouble: "slow", message: `${this.#storage.label} does not answer.` };
    return this.#trouble;
  }

  /** Null when storage does not let itself be listed: then `trouble` says why. */
  async look(epoch: number): Promise<Listed | null> {
    const began = this.#clock();
    const prefix = `e${epoch}/`;
    const blobs = await this.during(() => this.#storage.list(prefix));
    if (blobs === null) return null;
    this.#listedAt = began;
    return { began, replicas: filesByReplica(blobs, prefix) };
  }

  /** Asks storage for something; null when it does not give it, save where it says that there is no such thing. */
  async during<T>(ask: () => Promise<T>): Promise<T | null> {
    const call = { began: this.#clock() };
    this.#running.add(call);
    try {
      const answer = await ask();
      this.#trouble = null;
      return answer;
    } catch (error) {
      const trouble = error instanceof StorageError ? error.trouble : "failed";
      this.#trouble = { since: this.#trouble?.since ?? call.began, trouble, message: sentenceOf(error) };
      return null;
    } finally {
      this.#running.delete(call);
    }
  }
}
