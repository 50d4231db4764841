import type { Millis } from "@alai/core";
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

/** The standby's working copy is made of nothing but what is in storage: a heartbeat in it has come back. */
function backOutOfStorage({ standby, epoch }: Known): Millis | null {
  const beat = standby?.applied?.beat;
  return beat && beat.epoch === epoch ? beat.at : null;
}

/**
 * All commits until `committed.time` are at or below `committed.txid`; a listing that has that position has them. Where the listing
 * is behind, what the primary has seen in its own listings still holds.
 */
function byPosition({ primary, listed }: Known): Millis | null {
  const committed = primary?.committed ?? null;
  const reached = committed?.txid != null && committed.txid > 0 && listed !== null && listed >= committed.txid;
  return latest(reached ? (committed?.time ?? null) : null, timeOf(primary?.shipped ?? null));
}

function timeOf(head: Head | null): Millis | null {
  return head?.time ?? null;
}

function latest(a: Millis | null, b: Millis | null): Millis | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
