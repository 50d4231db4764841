import type { Millis } from "@alai/core";
import { isOwnBeat } from "../heartbeat/confirm.ts";
import { type LtxFile, newestTxid } from "../ltx/name.ts";
import type { Database } from "../manifest/model.ts";
import type { DatabaseReport, Head } from "../report.ts";
import type { WatchedDatabase } from "../watchdogs/watched.ts";
import { Generations, type GenerationsOptions } from "./generations.ts";
import { sentenceOf } from "./log.ts";
import { ProvenUntil } from "./proven.ts";

export interface FollowerOptions extends GenerationsOptions {
  readonly epoch: number;
}

/** One database of the standby: what storage has of it, the copy that follows, and whether it does. */
export class Follower {
  readonly database: Database;
  readonly #options: FollowerOptions;
  readonly #generations: Generations;
  #shipped: Head | null = null;
  #behindSince: Millis | null = null;
  #appliedBefore: number | null = null;
  #working = false;
  #trouble: string | null = null;
  /** The trouble is that there is no room: a second copy would not fit either. */
  #isFull = false;
  readonly #proven: ProvenUntil;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.database = options.database;
    this.#proven = new ProvenUntil(options.state, this.database.name, options.epoch);
    this.#generations = new Generations(options);
  }

  /** What a listing shows of its replica. @returns whether the copy is to be brought forward. */
  listed(files: readonly LtxFile[], began: Millis, now: Millis): boolean {
    this.#generations.tryAgain(now);
    const newest = newestTxid(files);
    const time = files.reduce((latest, file) => (file.max === newest ? Math.max(latest, file.time) : latest), 0);
    this.#shipped = newest === 0 ? null : { txid: newest, time: time || null, beat: null, seenAt: began };
    const { copy } = this.#generations;
    const head = copy?.report().applied ?? null;
    this.#proven.look(newest, head?.txid ?? null);
    const applied = head?.txid ?? 0;
    const isBehind = copy !== null && newest > applied;
    if (!isBehind) this.#behindSince = null;
    else if (this.#behindSince === null || applied !== this.#appliedBefore) this.#behindSince = now;
    this.#appliedBefore = applied;
    return copy !== null && newest !== applied && !this.#working;
  }

  /** Brings the copy to what was listed, then gives it to readers. Throws nothing: what is in the way is in the report. */
  async bring(files: readonly LtxFile[]): Promise<void> {
    const { copy } = this.#generations;
    if (!copy || this.#working) return;
    this.#working = true;
    let failure: unknown = null;
    try {
      await copy.follow(files);
    } catch (error) {
      failure = error;
    }
    // One that was given up meanwhile says nothing of the one that came after it.
    if (this.#generations.copy !== copy) return;
    this.#working = false;
    this.#trouble = failure === null ? null : sentenceOf(failure);
    this.#isFull = isNoRoom(failure);
    void this.publish();
  }

  /** What the primary says that it has committed: where the copy has it all, that is proven until then. */
  confirm(primary: DatabaseReport): void {
    const applied = this.#generations.copy?.report().applied ?? null;
    if (applied?.beat && isOwnBeat(applied.beat, primary)) this.#proven.confirm(applied, primary.committed);
  }

  /** What must outlive the agent. */
  get kept(): ProvenUntil["entry"] {
    return this.#proven.entry;
  }

  /** Throws nothing: what is in the way is in the report. */
  async publish(): Promise<void> {
    await this.#generations.copy?.publish().catch(() => undefined);
  }

  /**
   * Gives the copy up and begins a new one from storage. Readers keep what was published last. A copy that only lacks room is kept: it
   * goes on when there is some.
   */
  async reseed(): Promise<void> {
    if (this.#isFull) {
      this.#options.log.warn("the copy is kept: there is no room for another one", { database: this.database.name });
      return;
    }
    if (!(await this.#generations.next())) return;
    this.#working = false;
    this.#behindSince = null;
    this.#trouble = null;
  }

  get watched(): WatchedDatabase {
    const { report } = this;
    // It may have caught up since the last listing: storage may take long for the next one.
    const isBehind = (report.applied?.txid ?? 0) < (report.shipped?.txid ?? 0);
    return {
      database: this.database,
      report,
      behindSince: isBehind ? this.#behindSince : null,
      working: this.#working,
      beatTrouble: null,
      beatenAt: null,
    };
  }

  get report(): DatabaseReport {
    const { copy, cannot, published, reseeds } = this.#generations;
    const said = copy?.report();
    const heads = { shipped: this.#shipped, applied: said?.applied ?? null };
    return {
      name: this.database.name,
      committed: null,
      ...heads,
      published,
      ...(said?.readers && { readers: said.readers }),
      proven: this.#proven.of(heads),
      claimedAt: null,
      state: said?.state ?? this.#stateWithoutCopy,
      reseeds,
      unsound: said?.unsound ?? null,
      note: cannot ?? this.#trouble ?? said?.readers?.trouble ?? said?.note ?? null,
    };
  }

  /** From the call on nothing is put into the readers' place. */
  close(): Promise<void> {
    return this.#generations.close();
  }

  /** From the call on nothing is changed at all. */
  giveUp(): void {
    this.#generations.giveUp();
  }

  /** Not followed: there is no copy whose state could be told; the replica's is. */
  get #stateWithoutCopy(): DatabaseReport["state"] {
    if (this.#generations.cannot !== null) return "damaged";
    if (this.#generations.isEnding) return "seeding";
    return this.#shipped ? "ok" : "missing";
  }
}

/** What the file system, or SQLite, says of a disk that is full. */
function isNoRoom(error: unknown): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || /disk is full/.test(String(message));
}
