import type { Millis } from "@alai/core";
import type { Alarm, Head } from "../report.ts";

/**
 * How sure it is that a database is safe. `ok`: proven, and within its tier's limit. `degraded`: proven and within the limit, but
 * something is not as it should be. `unproven`: only Litestream says so. `breached`: older than the limit, damaged, missing, not
 * to be had back by what storage lists, or not restored for 36 h. `unknown`: nothing is known. `empty`: nothing in it to lose.
 */
export type Level = "ok" | "degraded" | "unproven" | "breached" | "unknown" | "empty";

/**
 * Why a database is breached: the file is `missing` or `damaged` on the primary, somebody else writes its replica (`foreign`), what
 * is proven is too `late`, storage lacks files
 * (`unrestorable`), the last restore failed (`proof_failed`), or none was checked for 36 h (`not_proven`).
 */
export type Breach = "missing" | "damaged" | "foreign" | "late" | "unrestorable" | "proof_failed" | "not_proven";

/**
 * A: a heartbeat read back out of storage. B: Litestream's local position is the newest one in a listing of storage.
 * C: only Litestream's word.
 */
export type Evidence = "A" | "B" | "C";

export interface DatabaseStatus {
  readonly name: string;
  readonly tier: string;
  readonly level: Level;
  readonly evidence: Evidence | null;
  /** Were the primary gone this moment, so much would be lost at most; null: nothing is proven. */
  readonly rpo: Millis | null;
  readonly limit: Millis;
  readonly committed: Head | null;
  readonly shipped: Head | null;
  /** Of the standby's working copy. */
  readonly applied: Head | null;
  /** What readers on the standby get. */
  readonly published: Head | null;
  /** How much older what is in storage is than what is committed; null: unknown. */
  readonly shipLag: Millis | null;
  /** How much older what readers on the standby get is than what is in storage; null: unknown, or they get nothing. */
  readonly copyLag: Millis | null;
  /** The same of the working copy, which nobody but the agent reads. */
  readonly applyLag: Millis | null;
  /** The last restore from storage that was checked; null: none is known. */
  readonly provenAt: Millis | null;
  readonly breaches: readonly Breach[];
  /** Sentences: why it is not `ok`. */
  readonly reasons: readonly string[];
}

export interface HostStatus {
  readonly name: string;
  readonly role: "primary" | "standby";
  readonly answers: boolean;
  /** The address that answered; null: none. */
  readonly address: string | null;
  readonly trouble: string | null;
  readonly version: string | null;
  readonly epoch: number | null;
  /** How far its clock is ahead of this machine's. */
  readonly clockAhead: Millis | null;
  readonly alarms: readonly Alarm[];
}

export interface StorageStatus {
  readonly label: string;
  readonly epoch: number | null;
  /** The host that writes, as storage has it; null: it did not say. */
  readonly owner: string | null;
  readonly listedAt: Millis | null;
  readonly trouble: string | null;
}

/** Everything, at one moment. */
export interface Status {
  readonly at: Millis;
  readonly level: Exclude<Level, "empty">;
  readonly epoch: number | null;
  readonly hosts: readonly HostStatus[];
  readonly storage: StorageStatus;
  readonly databases: readonly DatabaseStatus[];
}
