import type { Millis } from "@alai/core";
import type { Operations } from "./storage/storage.ts";

/** What a host's agent says of itself on `GET /report`, and keeps in its state file: the one form of it. */
export interface HostReport {
  readonly host: string;
  readonly role: "primary" | "standby";
  readonly version: string;
  /** By the agent's clock, UTC ms since 1970. */
  readonly at: Millis;
  readonly startedAt: Millis;
  readonly epoch: number;
  readonly manifestHash: string;
  readonly databases: readonly DatabaseReport[];
  readonly children: readonly ChildReport[];
  readonly alarms: readonly Alarm[];
  /** The last listing of storage that came through whole; null: none yet. */
  readonly listedAt: Millis | null;
  /** What storage last refused with; null when the last call came through. */
  readonly storageTrouble: { readonly since: Millis; readonly trouble: string; readonly message: string } | null;
  /** Since when its storage is what it is: what was proven before was another one; null or absent: since ever, or not known. */
  readonly storageSince?: Millis | null;
  /** Why it does nothing yet, as a sentence; null or absent: it does its part. */
  readonly waiting?: string | null;
  /** Another agent that writes what this one is to, a sentence; null or absent: there is none. */
  readonly foreignWriter?: string | null;
  /** Since when `epoch` is the primary's, by storage's clock; null or absent: since ever, or not known. */
  readonly epochSince?: Millis | null;
  /** The last restore from storage on this host that was found good, of each database in each epoch. */
  readonly proofs?: readonly GoodProof[];
  /** Those whose last restore on this host was not found good. */
  readonly failedProofs?: readonly FailedProof[];
  /** What the agent itself has asked of storage since it was started; Litestream's requests are not in it. */
  readonly operations?: Readonly<Operations>;
  /** What this host does every day; empty or absent: another one does. */
  readonly daily?: readonly DailyReport[];
}

/** The proof or the drill that the agent makes every day. */
export interface DailyReport {
  readonly job: "prove" | "drill";
  /** Of the one that runs now; null: none does. */
  readonly pid: number | null;
  /** The last one that ended by itself; null: none has yet. */
  readonly startedAt: Millis | null;
  readonly endedAt: Millis | null;
  /** What went wrong with it; null: nothing. */
  readonly problem: string | null;
  /** When the next one is due, or since when. */
  readonly dueAt: Millis;
  /** The file that says more. */
  readonly log: string;
}

/** A restore from storage that was checked and found good: of one database in one epoch, up to one transaction. */
export interface GoodProof {
  readonly name: string;
  readonly epoch: number;
  readonly txid: number | null;
  readonly at: Millis;
  /** In tables of services; absent: none, or they were not counted. */
  readonly rows?: number;
}

/** A restore from storage that failed, or gave no sound database. */
export interface FailedProof {
  readonly name: string;
  readonly epoch: number;
  readonly at: Millis;
  readonly problem: string;
}

/** A heartbeat row as it was read: `_alai_hb`. */
export interface Beat {
  readonly epoch: number;
  readonly seq: number;
  /** By the primary's clock. */
  readonly at: Millis;
}

/** How far a head is known to be. */
export interface Head {
  readonly txid: number | null;
  readonly beat: Beat | null;
  /** The newest moment whose commits are in it, by the primary's clock; null: unknown. */
  readonly time: Millis | null;
  /** When this was last seen to be so, by the clock of who looked. */
  readonly seenAt: Millis;
}

/** Everything that was committed `until` then, by the primary's clock, is in storage as far as it has `txid`. */
export interface Proven {
  readonly until: Millis;
  readonly txid: number;
}

/** What was committed on the primary and is not in storage, as far as its own listings show. */
export interface Pending {
  /** When the oldest of it was committed. */
  readonly since: Millis;
  /** The same of what Litestream has not said that it has taken up; null: it has it all. */
  readonly untaken: Millis | null;
  /** What is in the way, as its Litestream says, without a full stop; null: it says nothing. */
  readonly why: string | null;
}

export interface DatabaseReport {
  readonly name: string;
  /** On the primary: what was committed. */
  readonly committed: Head | null;
  /** What a listing of storage proved. */
  readonly shipped: Head | null;
  /** On the primary; null: nothing is pending. Absent: not told. */
  readonly pending?: Pending | null;
  /** On the standby: what the working copy has, heartbeat read from it. */
  readonly applied: Head | null;
  /** On the standby: what readers get, checked. */
  readonly published: Head | null;
  /**
   * On the standby: since when readers have lacked something that the working copy has, null: they have it all; and why they could
   * not be given it, null: nothing is in the way.
   */
  readonly readers?: {
    readonly behindSince: Millis | null;
    readonly trouble: string | null;
    /** How long it took to clone and check it the last time. */
    readonly lasted: Millis;
  };
  /** On the standby, where the working copy has the primary's newest heartbeat, and the position that the primary had then. */
  readonly proven?: Proven | null;
  /**
   * On the primary: the last heartbeats that it wrote, oldest first. Another one in a copy was written by somebody else, and proves
   * nothing about this database. Absent: not told.
   */
  readonly beats?: readonly Beat[];
  /** On the primary: what shows that somebody else has written its replica, a sentence; null or absent: nothing does. */
  readonly foreign?: string | null;
  /** What Litestream itself claims; no evidence. */
  readonly claimedAt: Millis | null;
  /** On the primary: whether a service's data is known to have been in it at any time, here or in storage. Absent: not told. */
  readonly hadData?: boolean;
  /** A file of no bytes, a missing one, one that is no database: said, never hidden. */
  readonly state: "ok" | "empty" | "missing" | "damaged" | "seeding" | "quarantined";
  /** Since the state file began: fresh restores on the standby; on the primary, whole images that were sent anew. */
  readonly reseeds: number;
  /** On the standby: why what storage has of it, restored a moment ago, is no sound database. Null or absent: it is, or nobody tried. */
  readonly unsound?: string | null;
  /** On the primary: when its replica was last begun anew, with a whole image. Null or absent: never. */
  readonly begunAt?: Millis | null;
  readonly note: string | null;
}

export interface ChildReport {
  readonly name: string;
  readonly pid: number | null;
  readonly restarts: number;
  readonly startedAt: Millis | null;
  readonly lastExit: string | null;
}

export type AlarmKind =
  | "follower_stalled"
  | "readers_behind"
  | "shipping_stalled"
  | "child_died"
  | "heartbeat_old"
  | "disk_low"
  | "clock_skew"
  | "unsafe_version"
  | "storage"
  | "unproven"
  | "proof_failed"
  | "daily_failed"
  | "damaged"
  | "put_aside"
  | "foreign_writer"
  | "history_lost";

/** A watchdog that fired and has not been calmed. */
export interface Alarm {
  readonly kind: AlarmKind;
  /** Database, child or volume; empty for the host. */
  readonly subject: string;
  readonly since: Millis;
  readonly sentence: string;
}
