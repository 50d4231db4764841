import type { Millis, Priority } from "@alai/core";
import type { Beat } from "../report.ts";

/** How often a drill is due. */
export const DRILL_INTERVAL: Millis = 86_400_000;

/**
 * What one drill measured: the JSON file of it, whole, and what every other form of it is made from. Lengths named `seconds` are by
 * one monotonic clock; data lost (RPO) is by the clock of whoever wrote the rows.
 */
export interface DrillReport {
  /** Sorts by time: `20261121T202211Z-3fa9c2`. */
  readonly id: string;
  readonly mode: "isolated";
  readonly startedAt: Millis;
  readonly endedAt: Millis;
  /** The host of the manifest that it ran on, or null: another machine. */
  readonly host: string | null;
  readonly machine: string;
  /** Who started it. */
  readonly by: string;
  readonly storage: string;
  readonly manifest: { readonly file: string; readonly hash: string };
  /** `litestream` is null where there is none here. */
  readonly versions: { readonly alai: string; readonly litestream: string | null; readonly sqlite: string };
  /** What the primary's agent said before anything was restored; `trouble` null: it answered. */
  readonly primary: { readonly host: string | null; readonly at: Millis | null; readonly trouble: string | null };
  /** Each database of the manifest, p0 first. */
  readonly perDatabase: readonly DrilledDatabase[];
  /** Databases of the drill's own that were written, shipped and killed; null: not done, and a finding says why. */
  readonly markers: Markers | null;
  readonly totals: Totals;
  readonly timeline: readonly Step[];
  readonly findings: readonly Finding[];
  /** Set where findings were put into Mission Control, or could not be. */
  readonly tasks: { readonly filed: readonly FiledTask[]; readonly trouble: string | null } | null;
  readonly verdict: Verdict;
  /** Ids of the drills that it was compared with, newest first. */
  readonly comparedWith: readonly string[];
  readonly nextDue: Millis;
}

/**
 * `FAIL`: data could not be had back, or more of it would be lost than is allowed. `INCOMPLETE`: something could not be measured.
 * `FINDINGS`: all is there, and something got worse. The first that holds.
 */
export type Verdict = "PASS" | "FINDINGS" | "INCOMPLETE" | "FAIL";

/** One database of the manifest. */
export interface DrilledDatabase {
  readonly name: string;
  readonly tier: string;
  readonly owner: string | null;
  /** To restore and check it; null: it was not restored. */
  readonly seconds: number | null;
  /** Of the restored file; null: none. */
  readonly bytes: number | null;
  /** Restored and found good, or known to be empty or absent on the primary. */
  readonly ok: boolean;
  /** What would be lost were the primary gone when its agent was asked, by the primary's clock; null: unknown. */
  readonly rpoSeconds: number | null;
  /** What that rests on: the heartbeat row, or Litestream's position where a database has no heartbeat. */
  readonly rpoBy: "heartbeat" | "position" | null;
  /** What its tier allows. */
  readonly limitSeconds: number;
  readonly epoch: number | null;
  readonly txid: number | null;
  readonly heartbeat: Beat | null;
  /** Why it is not ok, why its RPO is unknown, or why there was nothing to restore; null: nothing to say. */
  readonly why: string | null;
}

/** What became of the marker rows. */
export interface Markers {
  readonly databases: readonly MarkedDatabase[];
  /** How long they were written before writer and Litestream were killed. */
  readonly seconds: number;
}

/** One sacrificial database: there is one for each tier, shipped as that tier is. */
export interface MarkedDatabase {
  readonly name: string;
  readonly tier: string;
  /** Rows of which the witness was told, after COMMIT. */
  readonly acknowledged: number;
  readonly restored: number;
  /** Acknowledged and not restored. */
  readonly lost: number;
  /** From the last restored row to the last acknowledged one, by the writer's clock. */
  readonly rpoSeconds: number;
  readonly limitSeconds: number;
}

export interface Totals {
  /** From the listing of storage until the last database was checked. */
  readonly restoreSeconds: number;
  readonly bytes: number;
  readonly databases: number;
  readonly restored: number;
  /** The worst of all databases of the manifest; null: none is known. */
  readonly rpoWorstSeconds: number | null;
  /** Of how many databases it is not known. */
  readonly rpoUnknown: number;
  /** The worst of the sacrificial databases; null: not measured. */
  readonly markerRpoSeconds: number | null;
  /** Null: not measured. */
  readonly lostMarkers: number | null;
}

/** One step of the drill. */
export interface Step {
  readonly name: string;
  /** Since the drill began. */
  readonly atSeconds: number;
  readonly seconds: number;
  readonly outcome: string;
}

export type FindingKind =
  | "replica_missing"
  | "restore_failed"
  | "heartbeat_missing"
  | "empty_restored"
  | "primary_missing"
  | "primary_damaged"
  | "rpo_over_limit"
  | "markers_over_limit"
  | "not_restored"
  | "rpo_unknown"
  | "markers_not_measured"
  | "restore_slower"
  | "rpo_worse";

/** Something that the drill found. With the same kind and subject it is the same finding, tomorrow too. */
export interface Finding {
  readonly kind: FindingKind;
  /** A database, or a part of the drill: `all`, `markers`, `primary`. */
  readonly subject: string;
  readonly verdict: Exclude<Verdict, "PASS">;
  readonly sentence: string;
  /** What to type or look at. */
  readonly remedy: string;
  /** Of its task: 0 is the highest. */
  readonly priority: Priority;
  /** The service that the database belongs to; null: whoever is on call. */
  readonly owner: string | null;
  readonly due: Millis;
}

/** A finding's task in Mission Control. */
export interface FiledTask {
  readonly id: number;
  readonly dedupKey: string;
  /** `known`: it is there from an earlier drill. `reopened`: it was done, and the finding is back. `cancelled`: it stays so. */
  readonly state: "new" | "known" | "reopened" | "cancelled";
}
