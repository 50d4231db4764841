import type { Millis } from "@alai/core";
import type { LostHistory } from "../agent/reach.ts";
import type { Database } from "../manifest/model.ts";
import type { Alarm, ChildReport, DailyReport, DatabaseReport, FailedProof } from "../report.ts";

/** What a watchdog found: an alarm that does not know yet since when. */
export type Finding = Omit<Alarm, "since">;

/** A database as the watchdogs of its host see it. */
export interface WatchedDatabase {
  readonly database: Database;
  readonly report: DatabaseReport;
  /** On the standby: since when storage has had more than the working copy, which has not moved since; null: it is not behind. */
  readonly behindSince: Millis | null;
  /** On the standby: a fresh restore or a long file is being read. */
  readonly working: boolean;
  /** On the primary: why the last heartbeat could not be written; null: it was. */
  readonly beatTrouble: string | null;
  /** On the primary: when one was last written, or not needed because nothing had changed. */
  readonly beatenAt: Millis | null;
}

export interface WatchedChild {
  readonly report: ChildReport;
  /** How long ago it last ended by itself; null: it never has. */
  readonly diedAgo: Millis | null;
}

/** Space of a volume, bytes. */
export interface Volume {
  readonly path: string;
  readonly free: number;
  readonly size: number;
}

/** Somebody else's clock. */
export interface OtherClock {
  readonly whose: string;
  /** How far it is ahead of ours; negative: behind. */
  readonly ahead: Millis;
  /** How far off this may be: half of the way there and back, and of its steps. */
  readonly give: Millis;
}

/** A version that somebody runs, as far as it is seen. */
export interface SeenVersion {
  readonly of: "litestream" | "sqlite";
  readonly version: string;
  /** For people: `this agent`, `the last writer of fiken`. */
  readonly who: string;
}

/** Everything the watchdogs of one host look at, at one moment. */
export interface Watched {
  readonly now: Millis;
  readonly role: "primary" | "standby";
  readonly startedAt: Millis;
  /** Between two listings of storage. */
  readonly poll: Millis;
  readonly listedAt: Millis | null;
  readonly storageTrouble: { readonly since: Millis; readonly message: string } | null;
  readonly databases: readonly WatchedDatabase[];
  readonly children: readonly WatchedChild[];
  /** On the primary: moments that storage had and lost, by database; absent: none. */
  readonly lostHistory?: ReadonlyMap<string, LostHistory>;
  readonly volumes: readonly Volume[];
  /** Folders of databases that were put aside on this host. */
  readonly aside: readonly string[];
  readonly clocks: readonly OtherClock[];
  readonly versions: readonly SeenVersion[];
  /** Another agent that writes what this one is to, a sentence; null or absent: there is none. */
  readonly foreignWriter?: string | null;
  /** What this host does every day. */
  readonly daily: readonly DailyReport[];
  /** Since when the epoch of now is the primary's; null: since ever, or not known. */
  readonly epochSince: Millis | null;
  /** The last proof of each database by a real restore, of this epoch; absent: no proof is known. */
  readonly proofs: ReadonlyMap<string, Millis>;
  /** Databases whose last restore of this epoch failed. */
  readonly failedProofs: ReadonlyMap<string, FailedProof>;
}

export type Watchdog = (watched: Watched) => readonly Finding[];
