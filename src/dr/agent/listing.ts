import type { Millis } from "@alai/core";
import { filesByReplica, type LtxFile } from "../ltx/name.ts";
import type { HostReport } from "../report.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import { sentenceOf } from "./log.ts";

/** What storage is asked for: it may refuse the one and allow the other. */
type Call = "list" | "read" | "write";
type Trouble = NonNullable<HostReport["storageTrouble"]>;

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
  /** What each kind of call was last refused with. */
  readonly #troubles = new Map<Call, Trouble>();
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
   * What storage refuses, the oldest first; null when every kind of call last came through. A call that has not come back for
   * `patience` is trouble already: a frozen service is silent for as long as its deadline is.
   */
  trouble(patience: Millis): HostReport["storageTrouble"] {
    const [refused] = [...this.#troubles.values()].sort((a, b) => a.since - b.since);
    if (refused) return refused;
    const [oldest] = this.#running;
    if (!oldest || this.#clock() - oldest.began <= patience) return null;
    return { since: oldest.began, trouble: "slow", message: `${this.#storage.label} does not answer.` };
  }

  /** What a kind of call was last refused with; null when it came through, or none was made. */
  refusal(call: Call): HostReport["storageTrouble"] {
    return this.#troubles.get(call) ?? null;
  }

  /** Nothing of a kind is asked any more: what it was refused with would never be taken back. */
  rest(call: Call): void {
    this.#troubles.delete(call);
  }

  /** Null when storage does not let itself be listed: then `trouble` says why. */
  async look(epoch: number): Promise<Listed | null> {
    const began = this.#clock();
    const prefix = `e${epoch}/`;
    const blobs = await this.during("list", () => this.#storage.list(prefix));
    if (blobs === null) return null;
    this.#listedAt = began;
    return { began, replicas: filesByReplica(blobs, prefix) };
  }

  /** Asks storage for something; null when it does not give it, save where it says that there is no such thing. */
  async during<T>(kind: Call, ask: () => Promise<T>): Promise<T | null> {
    const call = { began: this.#clock() };
    this.#running.add(call);
    try {
      const answer = await ask();
      this.#troubles.delete(kind);
      return answer;
    } catch (error) {
      const trouble = error instanceof StorageError ? error.trouble : "failed";
      const since = this.#troubles.get(kind)?.since ?? call.began;
      this.#troubles.set(kind, { since, trouble, message: sentenceOf(error) });
      return null;
    } finally {
      this.#running.delete(call);
    }
  }
}
