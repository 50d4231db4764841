import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import { type Copy, openCopy } from "../copy/copy.ts";
import { confirmedUntil } from "../heartbeat/confirm.ts";
import { type LtxFile, newestTxid } from "../ltx/name.ts";
import type { Database, Host } from "../manifest/model.ts";
import type { DatabaseReport, Head } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import type { WatchedDatabase } from "../watchdogs/watched.ts";
import type { Log } from "./log.ts";
import type { AgentState } from "./state.ts";

export interface FollowerOptions {
  readonly database: Database;
  readonly host: Host;
  readonly storage: Storage;
  readonly state: AgentState;
  readonly clock: () => Millis;
  readonly log: Log;
  readonly epoch: number;
}

/** How long a copy may take to end what it does before it is left to itself. */
const END: Millis = 2000;

/** One database of the standby: what storage has of it, the copy that follows, and whether it does. */
export class Follower {
  readonly database: Database;
  readonly #options: FollowerOptions;
  #copy: Copy | null;
  #shipped: Head | null = null;
  #behindSince: Millis | null = null;
  #appliedBefore: number | null = null;
  #working = false;
  #trouble: string | null = null;
  #provenUntil: Millis | null;
  /** Copies that were given up as a whole by the watchdog: each has a folder of its own. */
  #generation: number;
  /** Fresh restores of the generations before. */
  #reseedsBefore: number;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.database = options.database;
    this.#generation = options.state.recall<number>(this.database.name, "generation") ?? 0;
    this.#reseedsBefore = options.state.recall<number>(this.database.name, "reseeds") ?? 0;
    this.#provenUntil = options.state.recall<Millis>(this.database.name, `proven e${options.epoch}`);
    this.#copy = this.database.follow ? this.#open() : null;
  }

  /** What a listing shows of its replica. @returns whether the copy is to be brought forward. */
  listed(files: readonly LtxFile[], began: Millis, now: Millis): boolean {
    const newest = newestTxid(files);
    const time = files.reduce((latest, file) => (file.max === newest ? Math.max(latest, file.time) : latest), 0);
    this.#shipped = newest === 0 ? null : { txid: newest, time: time || null, beat: null, seenAt: began };
    const applied = this.#copy?.report().applied?.txid ?? 0;
    const isBehind = this.#copy !== null && newest > applied;
    if (!isBehind) this.#behindSince = null;
    else if (this.#behindSince === null || applied !== this.#appliedBefore) this.#behindSince = now;
    this.#appliedBefore = applied;
    return this.#copy !== null && newest !== applied && !this.#working;
  }

  /** Brings the copy to what was listed, then gives it to readers. Throws nothing: what is in the way is in the report. */
  async bring(files: readonly LtxFile[]): Promise<void> {
    const copy = this.#copy;
    if (!copy || this.#working) return;
    this.#working = true;
    try {
      await copy.follow(files);
      this.#trouble = null;
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error);
    } finally {
      if (this.#copy === copy) this.#working = false;
    }
    void this.publish();
  }

  /** What the primary says that it has committed: where the copy has it all, that is proven until then. */
  confirm({ committed }: DatabaseReport): void {
    const until = confirmedUntil(this.#copy?.report().applied ?? null, committed);
    if (until !== null) this.#provenUntil = Math.max(until, this.#provenUntil ?? 0);
  }

  get provenUntil(): Millis | null {
    return this.#provenUntil;
  }

  async publish(): Promise<void> {
    try {
      await this.#copy?.publish();
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error);
    }
  }

  /**
   * Gives the copy up and begins a new one from storage. The new one has a place of its own: should the old one still be at work, it
   * can do nothing to it. Readers keep what was published last.
   */
  async reseed(): Promise<void> {
    const old = this.#copy;
    if (!old) return;
    const { state } = this.#options;
    const oldFolder = this.#folder;
    this.#reseedsBefore = this.report.reseeds + 1;
    this.#copy = null;
    this.#generation++;
    state.keep([
      { name: this.database.name, kind: "generation", value: this.#generation },
      { name: this.database.name, kind: "reseeds", value: this.#reseedsBefore },
    ]);
    await Promise.race([old.close(), new Promise((resolve) => setTimeout(resolve, END).unref())]);
    this.#quarantine(oldFolder);
    this.#copy = this.#open();
    this.#working = false;
    this.#behindSince = null;
  }

  get watched(): WatchedDatabase {
    return {
      database: this.database,
      report: this.report,
      behindSince: this.#behindSince,
      working: this.#working,
      beatTrouble: null,
      beatenAt: null,
    };
  }

  get report(): DatabaseReport {
    const copy = this.#copy?.report();
    return {
      name: this.database.name,
      committed: null,
      shipped: this.#shipped,
      applied: copy?.applied ?? null,
      published: copy?.published ?? null,
      provenUntil: this.#provenUntil,
      claimedAt: null,
      // Not followed: there is no copy whose state could be told; the replica's is.
      state: copy?.state ?? (this.#shipped ? "ok" : "missing"),
      reseeds: (copy?.reseeds ?? 0) + this.#reseedsBefore,
      note: this.#trouble ?? copy?.note ?? null,
    };
  }

  async close(): Promise<void> {
    await this.#copy?.close();
  }

  get #folder(): string {
    const copies = join(this.#options.host.state, "copies");
    return this.#generation === 0 ? copies : join(copies, `again-${this.#generation}`);
  }

  #open(): Copy {
    const { database, host, storage, clock, log } = this.#options;
    const published = join(host.databases, database.path);
    // One record for all generations: the file that readers have is of the one before.
    const record = join(host.state, "copies", `${database.name}.published.json`);
    const onPutAside = (folder: string) =>
      log.warn("a database that is no copy was put aside", { database: database.name, folder });
    const { databases } = host;
    const [name, work] = [database.name, this.#folder];
    return openCopy({ name, work, published, databases, record, storage, clock, onPutAside });
  }

  /** The newest one that was given up is kept, for who wants to know why. */
  #quarantine(folder: string): void {
    const { name } = this.database;
    for (const suffix of ["", "-wal", ".state.json"]) {
      const file = join(folder, name + suffix);
      const aside = join(this.#options.host.state, "copies", `${name}.given-up${suffix}`);
      rmSync(aside, { recursive: true, force: true });
      if (existsSync(file)) renameSync(file, aside);
    }
  }
}
