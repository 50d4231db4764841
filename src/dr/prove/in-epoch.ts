import type { Millis } from "@alai/core";
import type { FailedProof } from "../report.ts";
import type { Proofs } from "./history.ts";

/** What counts of all proofs for the primary of now. */
export interface EpochProofs {
  /** Database's name → when it was last restored from storage and found good. */
  readonly good: ReadonlyMap<string, Millis>;
  /** Those whose last restore was not found good. */
  readonly failed: ReadonlyMap<string, FailedProof>;
  /** Those that were proven, but not since their replica was begun anew, and when that was. */
  readonly voided: ReadonlyMap<string, Millis>;
}

/**
 * Proofs of one epoch, wherever they were made. @param epoch null: which one is not known, and each counts. @param begunAt when what
 * storage has of a database now was begun; a proof of before is of what is not there any more. Null: since ever.
 */
export function proofsIn(
  { good, failed }: Proofs,
  epoch: number | null,
  begunAt: (name: string) => Millis | null = () => null,
): EpochProofs {
  const isOfIt = (proof: { readonly epoch: number }) => epoch === null || proof.epoch === epoch;
  const provenAt = new Map<string, Millis>();
  for (const { name, at } of good.filter(isOfIt)) provenAt.set(name, Math.max(at, provenAt.get(name) ?? at));
  const voided = new Map<string, Millis>();
  for (const [name, at] of provenAt) {
    const begun = begunAt(name);
    if (begun !== null && at < begun) voided.set(name, begun);
  }
  for (const name of voided.keys()) provenAt.delete(name);
  const failures = new Map<string, FailedProof>();
  for (const one of failed.filter(isOfIt)) {
    const last = Math.max(provenAt.get(one.name) ?? one.at, failures.get(one.name)?.at ?? one.at);
    if (one.at >= last) failures.set(one.name, one);
  }
  return { good: provenAt, failed: failures, voided };
}
