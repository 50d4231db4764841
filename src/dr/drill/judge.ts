import { Exit } from "../../kit/errors.ts";
import { sentenceOf } from "../agent/log.ts";
import type { Database } from "../manifest/model.ts";
import type { DatabaseReport } from "../report.ts";
import { StorageError } from "../storage/storage.ts";
import type { FindingDraft } from "./findings.ts";
import type { PrimaryLook } from "./primary.ts";
import type { DrilledDatabase } from "./report.ts";
import type { Restoration } from "./restore-all.ts";

/** What a drill says of one database, and what it found there. */
export interface Judged {
  readonly row: DrilledDatabase;
  readonly findings: readonly FindingDraft[];
}

type Restored = Extract<Restoration, { kind: "restored" }>;

/** Holds what was restored against the manifest and against what the primary's agent had said before. */
export function judgeDatabase(database: Database, restoration: Restoration, primary: PrimaryLook): Judged {
  const reported = primary.databases.get(database.name) ?? null;
  const { row, findings } = judgeRestoration(database, restoration, { primary, reported });
  const gone = wrongOnPrimary(database, reported, restoration);
  if (!gone) return { row, findings };
  return { row: { ...row, why: [gone.sentence, row.why].filter(Boolean).join(" ") }, findings: [gone, ...findings] };
}

/** However good what storage has is: services write into nothing, or into what is no database. */
function wrongOnPrimary(
  database: Database,
  reported: DatabaseReport | null,
  restoration: Restoration,
): FindingDraft | null {
  const { name, optional } = database;
  const hadData = restoration.kind === "restored" && restoration.isOwned;
  const remedy = `Stop its service, type alai dr restore ${name} -o FILE, look at it, and move it into place as docs/dr.md says.`;
  if (reported?.state === "missing" && (!optional || hadData))
    return draft("primary_missing", database, `The file of ${name} is missing on the primary.`, remedy);
  if (reported?.state === "damaged")
    return draft(
      "primary_damaged",
      database,
      `The file of ${name} on the primary cannot be read as a database.`,
      remedy,
    );
  return null;
}

function judgeRestoration(
  database: Database,
  restoration: Restoration,
  { primary, reported }: { readonly primary: PrimaryLook; readonly reported: DatabaseReport | null },
): Judged {
  if (restoration.kind === "none") return nothingThere(database, reported, primary);
  if (restoration.kind === "failed") return notRestored(database, restoration);
  const trouble = wrongIn(database, restoration, reported);
  const rpo = rpoOf(database, restoration, reported, primary);
  const limit = database.tier.rpo / 1000;
  const over =
    rpo.seconds !== null && rpo.seconds > limit
      ? `${database.name} would have lost ${rpo.seconds.toFixed(1)} s; its tier allows ${limit} s.`
      : null;
  const why = [trouble?.sentence, over, rpo.why].filter((sentence) => typeof sentence === "string");
  const findings: FindingDraft[] = [
    ...(trouble ? [trouble] : []),
    ...(over
      ? [draft("rpo_over_limit", database, over, "Type alai dr status: it says where the replication stands.")]
      : []),
    // That the agent is silent is one finding, not one for each database.
    ...(rpo.seconds === null && primary.trouble === null
      ? [
          draft(
            "rpo_unknown",
            database,
            rpo.why ?? "",
            "Type alai dr status --json: committed is what the primary reports of it.",
          ),
        ]
      : []),
  ];
  const { epoch, txid, bytes, took, beat } = restoration;
  const row = {
    ...empty(database),
    ...{ epoch, txid, bytes, seconds: took / 1000, heartbeat: beat, ok: trouble === null },
    ...{ rpoSeconds: rpo.seconds, rpoBy: rpo.by, why: why.join(" ") || null },
  };
  return { row, findings };
}

function empty({ name, tier, owner }: Database): DrilledDatabase {
  return {
    ...{ name, tier: tier.name, owner, limitSeconds: tier.rpo / 1000 },
    ...{ seconds: null, bytes: null, ok: false, rpoSeconds: null, rpoBy: null },
    ...{ epoch: null, txid: null, heartbeat: null, why: null },
  };
}

/** Storage has no replica: fine where the primary has nothing either, and only its agent can say so. */
function nothingThere(database: Database, reported: DatabaseReport | null, primary: PrimaryLook): Judged {
  const { name, optional } = database;
  const absent = reported?.state === "missing" && optional;
  if (absent || reported?.state === "empty") {
    const why = absent ? "It is optional, and not on the primary either." : "It is empty on the primary.";
    return { row: { ...empty(database), ok: true, rpoSeconds: 0, rpoBy: "position", why }, findings: [] };
  }
  const why =
    optional && reported === null
      ? `Storage has nothing of ${name}; whether the primary has is not known.`
      : `Storage has nothing of ${name}.`;
  const kind = optional && primary.trouble !== null ? "not_restored" : "replica_missing";
  const remedy = `Is it replicated? Type alai dr manifest check, and alai dr status.`;
  return { row: { ...empty(database), why }, findings: [draft(kind, database, why, remedy)] };
}

function notRestored(database: Database, { epoch, error }: Extract<Restoration, { kind: "failed" }>): Judged {
  const why = sentenceOf(error);
  const row = { ...empty(database), epoch, why };
  // Storage that is gone and a disk that is full are one finding, of the drill as a whole.
  if (isOutage(error) || isLocal(error)) return { row, findings: [] };
  const remedy = `Type alai dr restore ${database.name} --at "2h ago" -o FILE for an earlier moment; a new snapshot heals the replica.`;
  return { row, findings: [draft("restore_failed", database, `${database.name} cannot be restored: ${why}`, remedy)] };
}

/** Storage gave no answer: nothing is known of the database. */
export function isOutage(error: unknown): error is StorageError {
  return error instanceof StorageError && error.trouble !== "missing";
}

/** This machine could not take it: that says nothing of the database either. */
export function isLocal(error: unknown): boolean {
  return error instanceof Error && !(error instanceof Exit) && "code" in error && "syscall" in error;
}

/** A database can be sound and still not be the one that was meant. */
function wrongIn(database: Database, restored: Restored, reported: DatabaseReport | null): FindingDraft | null {
  const { name, size, sizeClass, heartbeat } = database;
  const emptyThere = reported?.state === "empty";
  const meant = sizeClass !== "empty" && size !== null && size > 0;
  // Whether a service has made a table the agent knows only of what it writes heartbeats into.
  const owned = reported?.state === "ok" && heartbeat !== null;
  if (!restored.isOwned && !emptyThere && (meant || owned))
    return draft(
      "empty_restored",
      database,
      `${name} was restored without any table of its service, and is not meant to be empty.`,
      "Compare it with the primary's file; alai dr restore --at restores an earlier moment.",
    );
  if (heartbeat !== null && restored.beat === null && reported?.committed?.beat)
    return draft(
      "heartbeat_missing",
      database,
      `${name} was restored without the heartbeat that the primary has written into it.`,
      "Type alai dr status: is it shipped at all since the agent runs?",
    );
  return null;
}

interface Rpo {
  readonly seconds: number | null;
  readonly by: DrilledDatabase["rpoBy"];
  readonly why: string | null;
}

/** By the primary's clock alone: how far what was restored is behind what was committed when its agent was asked. */
function rpoOf(
  { name }: Database,
  { epoch, txid, time, beat }: Restored,
  reported: DatabaseReport | null,
  { trouble }: PrimaryLook,
): Rpo {
  const unknown = (why: string | null): Rpo => ({ seconds: null, by: null, why });
  if (trouble !== null) return unknown(null);
  const committed = reported?.committed;
  if (!committed) return unknown(`The primary's agent does not say what is committed in ${name}.`);
  if (committed.beat && beat) {
    if (committed.beat.epoch !== beat.epoch)
      return unknown(
        `The newest of ${name} in storage is of epoch ${epoch}, the primary writes in ${committed.beat.epoch}.`,
      );
    return { seconds: Math.max(0, committed.beat.at - beat.at) / 1000, by: "heartbeat", why: null };
  }
  // No heartbeat to go by: Litestream's position, which the agent checks, and the time in the replica's own files.
  if (committed.beat || committed.txid === null)
    return unknown(`Of ${name} neither heartbeat nor position can be compared.`);
  if (txid >= committed.txid) return { seconds: 0, by: "position", why: null };
  if (committed.time === null) return unknown(`It is not known of when the newest of ${name} on the primary is.`);
  return { seconds: Math.max(0, committed.time - time) / 1000, by: "position", why: null };
}

function draft(kind: FindingDraft["kind"], database: Database, sentence: string, remedy: string): FindingDraft {
  return { kind, subject: database.name, sentence, remedy, database };
}
