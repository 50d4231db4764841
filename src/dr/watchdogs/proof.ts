import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import { brief } from "../restore/brief.ts";
import type { Watchdog } from "./watched.ts";

/** `alai dr prove` runs every day; half a day later it is overdue. */
export const PROOF_LIMIT: Millis = 36 * 3_600_000;

export interface ProvenAt {
  /** When it was last restored from storage and found good, in the epoch that is the primary's; null: never. */
  readonly provenAt: Millis | null;
  /** Since when that is the primary's epoch; null: since ever. */
  readonly epochSince: Millis | null;
  /** When its replica was begun anew, so that what was proven before says nothing of it; null or absent: it was not. */
  readonly voidedAt?: Millis | null;
  readonly now: Millis;
}

/** What is to be said of the age of a proof. */
export interface Unproven {
  /** There was no proof for longer than there may be none. */
  readonly isOverdue: boolean;
  /** Without its full stop. */
  readonly sentence: string;
}

/**
 * Whether a database is proven by a restore. After a takeover nothing is proven yet of what the new primary sends, and after a replica
 * was begun anew nothing of that: it has as long from then on. @returns null when it is.
 */
export function howProven({ provenAt, epochSince, voidedAt = null, now }: ProvenAt): Unproven | null {
  if (provenAt !== null) {
    if (now - provenAt <= PROOF_LIMIT) return null;
    return { isOverdue: true, sentence: `It was last restored from storage and checked ${span(now - provenAt)} ago` };
  }
  const [from, what] =
    voidedAt === null ? [epochSince, "another host took over"] : [voidedAt, "its replica was begun anew"];
  if (from === null) return { isOverdue: true, sentence: "It has never been restored from storage and checked" };
  const since = `It has not been restored from storage and checked since ${what} ${span(now - from)} ago`;
  if (now - from > PROOF_LIMIT) return { isOverdue: true, sentence: since };
  return { isOverdue: false, sentence: `${since}; that is due within ${PROOF_LIMIT / 3_600_000} h of it` };
}

/** Not restored from storage and checked for a day and a half: open reports of Litestream are visible only at a restore (facts §1.9). */
export const unproven: Watchdog = ({ databases, role, proofs, epochSince, now }) =>
  databases.flatMap(({ database: { name }, report }) => {
    if (role !== "standby" || report.shipped === null) return [];
    const found = howProven({ provenAt: proofs.get(name) ?? null, epochSince, now });
    if (!found?.isOverdue) return [];
    return [{ kind: "unproven", subject: name, sentence: `${found.sentence}. Type alai dr prove.` }];
  });

/** The last restore that was tried on this host gave no sound database: until one does, nobody knows that it can be had. */
export const proofFailed: Watchdog = ({ databases, failedProofs, now }) =>
  databases.flatMap(({ database: { name } }) => {
    const failed = failedProofs.get(name);
    if (!failed) return [];
    const why = brief(failed.problem).replace(/\.$/, "");
    const sentence = `Its restore from storage failed ${span(now - failed.at)} ago: ${why}. alai dr prove ${name} tries again.`;
    return [{ kind: "proof_failed", subject: name, sentence }];
  });
