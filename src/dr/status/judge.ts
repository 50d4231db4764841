import type { Millis } from "@alai/core";
import type { Database } from "../manifest/model.ts";
import type { FailedProof, Head } from "../report.ts";
import { brief } from "../restore/brief.ts";
import { howProven } from "../watchdogs/proof.ts";
import { readersPatience } from "../watchdogs/readers.ts";
import { age } from "./age.ts";
import { type Known, type Proof, proofsOf, shippedHead } from "./evidence.ts";
import type { Breach, DatabaseStatus, Level } from "./status.ts";

/** What is asked about a database beside what hosts and storage say of it. */
export interface Question extends Known {
  readonly database: Database;
  /** The last good restore of this epoch; null: there is none. */
  readonly provenAt: Millis | null;
  /** When its replica was begun anew, after the last good restore; null or absent: it was not. */
  readonly voidedAt?: Millis | null;
  /** The last restore of this epoch, if it failed; null: it did not. */
  readonly failedProof: Pick<FailedProof, "at" | "problem"> | null;
  /** Since when the epoch is the primary's; null: since ever, or not known. */
  readonly epochSince: Millis | null;
  /** Whether a restore, of whatever epoch, has ever given rows of a service's. */
  readonly hadRows: boolean;
  /** Why the listing has no way from nothing to the newest TXID in it; null: it has one, or there is no listing. */
  readonly broken: string | null;
  /** Another agent writes what the primary is to, a sentence; null or absent: none does. */
  readonly foreign?: string | null;
  /** How long readers may lack what is in storage; absent: as where publishing takes no time. */
  readonly readersPatience?: Millis;
  /** Whether the fleet has a host that keeps copies. */
  readonly hasStandby: boolean;
  /** Sentences that hold for every database: storage does not answer, a host is down. */
  readonly everywhere: readonly string[];
  /** Alarms of hosts about this database. */
  readonly alarms: readonly string[];
}

/** Weighs one database. Nothing is `ok` that is not proven: no data is `unknown`, Litestream's word alone `unproven`. */
export function judge(question: Question): DatabaseStatus {
  const { database, primary, standby, provenAt } = question;
  const proof = bestProof(question);
  const rpo = proof?.time == null ? null : Math.max(0, question.now - proof.time);
  const bad = breaches(question, proof, rpo);
  const off = [...notYetProven(question), ...shortfalls(question), ...question.alarms, ...question.everywhere];
  return {
    name: database.name,
    tier: database.tier.name,
    level: levelOf(question, proof, bad, off),
    evidence: proof?.evidence ?? null,
    rpo,
    limit: database.tier.rpo,
    committed: primary?.committed ?? null,
    shipped: shippedHead(question),
    applied: standby?.applied ?? null,
    published: standby?.published ?? null,
    shipLag: shipLag(question),
    ...{ copyLag: copyLag(question), applyLag: applyLag(question) },
    provenAt,
    breaches: bad.map(({ kind }) => kind),
    reasons: [...new Set([...bad.map(({ sentence }) => sentence), ...unprovenReason(proof), ...off])].map(brief),
  };
}

/** The strongest proof that is within the limit; else the one that proves most. */
function bestProof(question: Question): Proof | null {
  const proofs = proofsOf(question);
  const oldest = question.now - question.database.tier.rpo;
  const good = proofs.find(({ time }) => time !== null && time >= oldest);
  return good ?? proofs.toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0))[0] ?? null;
}

function levelOf(question: Question, proof: Proof | null, bad: readonly Found[], off: readonly string[]): Level {
  if (isNothing(question)) return "empty";
  if (bad.length > 0) return "breached";
  if (proof === null) return "unknown";
  if (proof.time === null) return "unproven";
  return off.length > 0 ? "degraded" : "ok";
}

/**
 * There is no data, and there never was: the file has no table of a service's, or may be missing and is. That the manifest allows it
 * excuses no loss, and no restore that failed.
 */
function isNothing(question: Question): boolean {
  const { primary, database } = question;
  if (hadData(question) || lastFailed(question) !== null) return false;
  return primary?.state === "empty" || (primary?.state === "missing" && database.optional && !wasThere(question));
}

/** A heartbeat is written only where a service has made a table. */
function hadData({ primary, standby, hadRows }: Question): boolean {
  const heads = [primary?.committed, primary?.shipped, standby?.applied];
  return hadRows || primary?.hadData === true || heads.some((head) => head?.beat != null);
}

/** What was never there is neither in storage nor restored from it. */
function wasThere({ primary, listed, provenAt }: Question): boolean {
  return provenAt !== null || (listed ?? primary?.shipped?.txid ?? 0) > 0;
}

/** The last restore, if it failed. */
function lastFailed({ failedProof, provenAt }: Question): Question["failedProof"] {
  return failedProof !== null && failedProof.at > (provenAt ?? 0) ? failedProof : null;
}

/** One thing that makes a database breached. */
interface Found {
  readonly kind: Breach;
  readonly sentence: string;
}

function breaches(question: Question, proof: Proof | null, rpo: Millis | null): Found[] {
  const { primary, database, broken, listed } = question;
  if (isNothing(question)) return [];
  const found: Found[] = [];
  const add = (kind: Breach, sentence: string) => found.push({ kind, sentence });
  if (primary?.state === "missing") add("missing", "The file is missing on the primary.");
  if (primary?.state === "damaged")
    add("damaged", `The file on the primary is damaged: ${primary.note ?? "it cannot be read as a database."}`);
  if (primary?.state === "empty" && hadData(question))
    add("damaged", "The file on the primary is empty, and it had data before.");
  const foreign = question.foreign ?? primary?.foreign ?? null;
  if (foreign !== null) add("foreign", foreign);
  if (broken !== null) add("unrestorable", broken);
  // However new the proof is: it was made of files that are not there any more.
  else if (question.standby?.unsound) add("unrestorable", `Storage cannot restore it: ${question.standby.unsound}`);
  else if (listed === 0 && rpo !== null) add("unrestorable", "Storage cannot restore it: it lists nothing of it.");
  if (rpo !== null && rpo > database.tier.rpo)
    add(
      "late",
      `What is proven to be in storage is ${age(rpo)} old; ${database.tier.name} allows ${age(database.tier.rpo)}.`,
    );
  return [...found, ...notProven(question, proof)];
}

/** What real restores say: that the last one failed, or that none was tried for long. */
function notProven(question: Question, proof: Proof | null): Found[] {
  const found: Found[] = [];
  const failedProof = lastFailed(question);
  if (failedProof !== null)
    found.push({
      kind: "proof_failed",
      sentence: `The last restore from storage that was tried failed (alai dr prove): ${brief(failedProof.problem)}`,
    });
  const unproven = howProven(question);
  if (proof !== null && unproven?.isOverdue)
    found.push({ kind: "not_proven", sentence: `${unproven.sentence} (alai dr prove).` });
  return found;
}

/** After a takeover there is no proof yet of what the new primary sends, and none is overdue. */
function notYetProven(question: Question): string[] {
  const unproven = isNothing(question) ? null : howProven(question);
  return unproven && !unproven.isOverdue ? [`${unproven.sentence} (alai dr prove).`] : [];
}

function unprovenReason(proof: Proof | null): string[] {
  if (proof === null) return ["Nobody who was asked knows anything of it."];
  return proof.evidence === "C" ? ["UNPROVEN: only Litestream says that it is in storage."] : [];
}

/** What is not as it should be with the copy, although the data is safe in storage. */
function shortfalls(question: Question): string[] {
  const { database, standby, hasStandby } = question;
  if (!database.follow || !hasStandby || isNothing(question)) return [];
  if (!standby) return ["No standby says that it has a copy."];
  // Said already, as what it is.
  if (standby.unsound) return [];
  if (standby.state !== "ok")
    return [`The standby's copy is not ready: ${(standby.note ?? standby.state).replace(/\.$/, "")}.`];
  const lag = applyLag(question);
  if (lag !== null && lag > database.tier.rpo) return [`The standby's working copy is ${age(lag)} behind storage.`];
  if (standby.published === null) return ["Readers on the standby have no copy yet."];
  const readers = copyLag(question);
  const patience = question.readersPatience ?? readersPatience(database.tier.rpo, []);
  if (readers !== null && readers > patience)
    return [`What readers on the standby get is ${age(readers)} behind storage.`];
  return [];
}

/** Now, less the oldest commit that is not in storage: one that does not come up shows at once, whatever Litestream says. */
function shipLag(question: Question): Millis | null {
  const committed = question.primary?.committed;
  const shipped = shippedHead(question);
  const pending = question.primary?.pending;
  if (pending) {
    // The listing of just now is newer than the primary's own: all that Litestream has taken up may be there.
    const isAllThere = committed?.txid != null && committed.txid <= (question.listed ?? 0);
    const since = isAllThere ? pending.untaken : pending.since;
    return since === null ? 0 : Math.max(0, question.now - since);
  }
  if (committed?.time == null || shipped?.txid == null) return null;
  if ((committed.txid ?? 0) <= shipped.txid) return 0;
  return shipped.time === null ? null : Math.max(0, committed.time - shipped.time);
}

function applyLag(question: Question): Millis | null {
  return lagOf(question.standby?.applied ?? null, question);
}

/** Where the working copy is whole, readers lack what came since it had more than they have, however old what they have is. */
function copyLag(question: Question): Millis | null {
  const { standby, now } = question;
  const lag = lagOf(standby?.published ?? null, question);
  const since = applyLag(question) === 0 ? (standby?.readers?.behindSince ?? null) : null;
  return lag === null || since === null ? lag : Math.min(lag, Math.max(0, now - since));
}

/** What is at the newest position has no lag, however long ago that was written. */
function lagOf(head: Head | null, { standby, listed, now }: Question): Millis | null {
  if (head?.txid == null) return null;
  const { shipped = null } = standby ?? {};
  if (head.txid >= Math.max(listed ?? 0, shipped?.txid ?? 0)) return 0;
  const since = head.time ?? head.beat?.at ?? null;
  if (since === null) return null;
  // Idle until a moment ago: what it lacks came after the standby had listed storage and found no more.
  const hadAll = shipped !== null && (shipped.txid ?? 0) <= head.txid ? shipped.seenAt : since;
  return Math.max(0, now - Math.max(since, hadAll));
}
