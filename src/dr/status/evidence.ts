import type { Millis } from "@alai/core";
import { confirmedUntil, isOwnBeat } from "../heartbeat/confirm.ts";
import type { DatabaseReport, Head } from "../report.ts";
import type { Evidence } from "./status.ts";

/** What is known of one database, from everyone who was asked. */
export interface Known {
  /** Of the primary; null: it did not answer, or does not know the database. */
  readonly primary: DatabaseReport | null;
  /** Of the standby that keeps a copy. */
  readonly standby: DatabaseReport | null;
  /** The newest TXID in the listing that was just made; 0: it lists none; null: storage did not answer. */
  readonly listed: number | null;
  /** When that listing was begun. */
  readonly listedAt: Millis | null;
  readonly epoch: number | null;
  /** Now, by the primary's clock: every heartbeat and time of a head is by it. */
  readonly now: Millis;
}

/** The moment up to which every commit is proven to be in storage, and by what. */
export interface Proof {
  readonly evidence: Evidence;
  /** Null with C: nothing is proven. */
  readonly time: Millis | null;
}

/** A clock further ahead than this makes ages meaningless. */
const AHEAD: Millis = 1000;

/**
 * The proofs there are, strongest first. A heartbeat of another epoch proves nothing about this one, and a moment in the future
 * proves nothing at all.
 */
export function proofsOf(known: Known): readonly Proof[] {
  const back = backOutOfStorage(known);
  const listed = byPosition(known);
  const proofs: Proof[] = [];
  if (back !== null && back <= known.now + AHEAD) proofs.push({ evidence: "A", time: back });
  if (listed !== null && listed <= known.now + AHEAD) proofs.push({ evidence: "B", time: listed });
  if (known.primary?.claimedAt != null) proofs.push({ evidence: "C", time: null });
  return proofs;
}

/**
 * The standby's working copy is made of nothing but what is in storage: a heartbeat in it has come back. Where it is the newest there
 * is, and nothing was committed since, it stands for the moment at which that was so.
 */
function backOutOfStorage(known: Known): Millis | null {
  const { standby, primary, epoch } = known;
  const applied = standby?.applied;
  const beat = applied?.beat;
  if (!standby || !beat || beat.epoch !== epoch || isGone(known, standby, applied)) return null;
  // Of a database that this primary has not: somebody else writes its replica.
  if (primary !== null && !isOwnBeat(beat, primary)) return null;
  const told = [standby.proven ?? null, confirmedUntil(applied, primary?.committed ?? null)];
  const good = told.filter((one) => one !== null).filter(({ txid }) => txid <= (applied.txid ?? 0));
  return Math.max(beat.at, ...good.map(({ until }) => until));
}

/**
 * Storage has lost what the copy has. The copy would be there all the same: it stands for storage as the standby listed it last, not
 * as it is now.
 */
function isGone(known: Known, { shipped }: DatabaseReport, head: Head): boolean {
  if (shipped === null) return isLost(known, head);
  return (shipped.txid ?? 0) < (head.txid ?? 0) || isLost(known, { ...head, seenAt: shipped.seenAt });
}

/** What is proven to be in storage by positions. A standby's times are those of files, not of commits, and prove nothing. */
function byPosition(known: Known): Millis | null {
  return known.listed === null ? timeOf(known.primary?.shipped ?? null) : (shippedHead(known)?.time ?? null);
}

/** The listing is newer than what somebody saw, and has less: storage has lost it since, and what was seen proves nothing. */
function isLost({ listed, listedAt }: Known, { txid, seenAt }: Head): boolean {
  return listed !== null && listedAt !== null && listed < (txid ?? 0) && listedAt > seenAt;
}

/**
 * How far storage is, by the listing that was just made. All commits until `committed.time` are at or below `committed.txid`, so a
 * listing that has that position has them. Where it is behind, what the primary has seen in its own listings still holds.
 */
export function shippedHead(known: Known): Head | null {
  const { primary, standby, listed, listedAt } = known;
  const committed = primary?.committed ?? null;
  const before = primary?.shipped ?? standby?.shipped ?? null;
  if (listed === null) return before;
  if (listed === 0) return null;
  const reached = committed?.txid != null && committed.txid > 0 && listed >= committed.txid;
  const seen = primary?.shipped && !isLost(known, primary.shipped) ? primary.shipped : null;
  const time = latest(reached ? committed.time : null, timeOf(seen));
  const beat = committed?.beat && time !== null && committed.beat.at <= time ? committed.beat : (before?.beat ?? null);
  return { txid: listed, time, beat, seenAt: listedAt ?? before?.seenAt ?? 0 };
}

function timeOf(head: Head | null): Millis | null {
  return head?.time ?? null;
}

function latest(a: Millis | null, b: Millis | null): Millis | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
