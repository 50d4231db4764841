import { join } from "node:path";
import type { Millis } from "@alai/core";
import { type Copy, openCopy } from "../copy/copy.ts";
import { OwnFile } from "../copy/own-file.ts";
import { clearSuperseded, placeOf } from "../copy/superseded.ts";
import { confirmedUntil } from "../heartbeat/confirm.ts";
import { type LtxFile, newestTxid } from "../ltx/name.ts";
import type { Database, Host } from "../manifest/model.ts";
import type { DatabaseReport, Head } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import type { WatchedDatabase } from "../watchdogs/watched.ts";
import { type Log, sentenceOf } from "./log.ts";
import type { AgentState } from "./state.ts";

export interface FollowerOptions {
  readonly database: Database;
  readonly host: Host;
  readonly storage: Storage;
  readonly state: AgentState;
  readonly clock: () => Millis;
  readonly log: Log;
  readonly epoch: number;
  /** Told before each step that a crash may come between; for tests. */
  readonly onStep?: (step: string) => void;
}

/** How long a copy may take to end what it does before it is left to itself. */
const END: Millis = 2000;
/** After a working copy could not be opened in a place of its own. */
const PATIENCE: Millis = 30_000;

/** One database of the standby: what storage has of it, the copy that follows, and whether it does. */
export class Follower {
  readonly database: Database;
  readonly #options: FollowerOptions;
  readonly #copies: string;
  readonly #published: string;
  #copy: Copy | null = null;
  /** Why there is no copy; null: there is one, or it is to come. */
  #cannot: string | null = null;
  #tryAt: Millis = 0;
  /** The place of its copy is one that nothing was in before. */
  #isFresh = false;
  /** Its copy is being given up: the new one comes when that is done. */
  #ending = false;
  #closed = false;
  #shipped: Head | null = null;
  #behindSince: Millis | null = null;
  #appliedBefore: number | null = null;
  #working = false;
  #trouble: string | null = null;
  /** The trouble is that there is no room: a second copy would not fit either. */
  #isFull = false;
  #provenUntil: Millis | null;
  /** Copies that were given up as a whole: each has a folder of its own. */
  #generation: number;
  /** Fresh restores of the generations before. */
  #reseedsBefore: number;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { database, host, state, epoch } = options;
    this.database = database;
    this.#copies = join(host.state, "copies");
    this.#published = join(host.databases, database.path);
    this.#generation = state.recall<number>(database.name, "generation") ?? 0;
    this.#reseedsBefore = state.recall<number>(database.name, "reseeds") ?? 0;
    this.#provenUntil = state.recall<Millis>(database.name, `proven e${epoch}`);
    this.#open();
  }

  /** What a listing shows of its replica. @returns whether the copy is to be brought forward. */
  listed(files: readonly LtxFile[], began: Millis, now: Millis): boolean {
    if (this.#cannot !== null && now >= this.#tryAt) this.#openAgain();
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
    let failure: unknown = null;
    try {
      await copy.follow(files);
    } catch (error) {
      failure = error;
    }
    // One that was given up meanwhile says nothing of the one that came after it.
    if (this.#copy !== copy) return;
    this.#working = false;
    this.#trouble = failure === null ? null : sentenceOf(failure);
    this.#isFull = isNoRoom(failure);
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

  /** Throws nothing: what is in the way is in the report. */
  async publish(): Promise<void> {
    await this.#copy?.publish().catch(() => undefined);
  }

  /**
   * Gives the copy up and begins a new one from storage. The new one has a place of its own, and the old one can do nothing any more,
   * however long it is still at work. Readers keep what was published last. A copy that only lacks room is kept: it goes on when there
   * is some.
   */
  async reseed(): Promise<void> {
    if (!this.database.follow || this.#ending || this.#closed) return;
    if (this.#isFull) {
      this.#options.log.warn("the copy is kept: there is no room for another one", { database: this.database.name });
      return;
    }
    const old = this.#copy;
    old?.giveUp();
    this.#options.log.warn("the copy is given up and made anew from storage", { database: this.database.name });
    this.#ending = true;
    this.#reseedsBefore = this.report.reseeds + 1;
    this.#copy = null;
    this.#cannot = null;
    this.#generation++;
    this.#isFresh = true;
    await Promise.race([old?.close(), new Promise((resolve) => setTimeout(resolve, END).unref())]);
    this.#ending = false;
    this.#working = false;
    this.#behindSince = null;
    this.#trouble = null;
    this.#open();
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
      published: copy ? copy.published : new OwnFile(this.#record).headAt(this.#published),
      ...(copy?.readers && { readers: copy.readers }),
      provenUntil: this.#provenUntil,
      claimedAt: null,
      state: copy?.state ?? this.#stateWithoutCopy,
      reseeds: (copy?.reseeds ?? 0) + this.#reseedsBefore,
      note: this.#cannot ?? this.#trouble ?? copy?.readers?.trouble ?? copy?.note ?? null,
    };
  }

  /** From the call on nothing is put into the readers' place. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#copy?.close();
  }

  /** From the call on nothing is changed at all. */
  giveUp(): void {
    this.#closed = true;
    this.#copy?.giveUp();
  }

  /** Not followed: there is no copy whose state could be told; the replica's is. */
  get #stateWithoutCopy(): DatabaseReport["state"] {
    if (this.#cannot !== null) return "damaged";
    if (this.#ending) return "seeding";
    return this.#shipped ? "ok" : "missing";
  }

  /** One copy that cannot be opened keeps no other from following: it is said, and tried again in another place. */
  #open(): void {
    if (!this.database.follow || this.#closed) return;
    const { name } = this.database;
    try {
      this.#keepGeneration();
      this.#copy = this.#openCopy();
      this.#cannot = null;
    } catch (error) {
      this.#cannot = `Its working copy cannot be opened: ${sentenceOf(error)}`;
      // What was there before may be to blame: another place is tried at once.
      this.#tryAt = this.#isFresh ? this.#options.clock() + PATIENCE : 0;
      this.#options.log.error("a working copy cannot be opened", { database: name, reason: sentenceOf(error) });
      return;
    }
    try {
      clearSuperseded(this.#copies, name, this.#generation, (step) => this.#options.onStep?.(step));
    } catch (error) {
      this.#options.log.warn("what is left of a copy that was given up stays where it is", {
        ...{ database: name, reason: sentenceOf(error) },
      });
    }
  }

  /** In another place first; where that cannot be used either, the next one would not do. */
  #openAgain(): void {
    if (this.#isFresh) this.#open();
    else void this.reseed();
  }

  /** One for all generations: the file that readers have may be of the one before. */
  get #record(): string {
    return join(this.#copies, `${this.database.name}.published.json`);
  }

  #keepGeneration(): void {
    const { state, onStep } = this.#options;
    const { name } = this.database;
    if ((state.recall<number>(name, "generation") ?? 0) === this.#generation) return;
    onStep?.("generation");
    state.keep([
      { name, kind: "generation", value: this.#generation },
      { name, kind: "reseeds", value: this.#reseedsBefore },
    ]);
    onStep?.("open");
  }

  #openCopy(): Copy {
    const { host, storage, clock, log, onStep } = this.#options;
    const { name } = this.database;
    return openCopy({
      ...{ name, storage, clock, published: this.#published, databases: host.databases },
      work: placeOf(this.#copies, this.#generation),
      record: this.#record,
      onPutAside: (folder) => log.warn("a database that is no copy was put aside", { database: name, folder }),
      onWentBack: (how) =>
        log.warn("readers got an older state, because storage itself went back", { database: name, how }),
      ...(onStep && { onStep }),
    });
  }
}

/** What the file system, or SQLite, says of a disk that is full. */
function isNoRoom(error: unknown): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || /disk is full/.test(String(message));
}
