import type { Millis } from "@alai/core";
import type { Alarm, Head } from "../report.ts";
import type { DatabaseStatus, Status } from "./status.ts";

/** The status in the names and units of `--json`: times as ISO 8601 in UTC, lengths in milliseconds. */
export function toJson({ at, level, epoch, hosts, storage, databases }: Status): Readonly<Record<string, unknown>> {
  return {
    level,
    at: iso(at),
    epoch,
    hosts: hosts.map(({ clockAhead, alarms, ...host }) => ({
      ...host,
      clock_ahead_ms: rounded(clockAhead),
      alarms: alarms.map(alarmJson),
    })),
    storage: {
      label: storage.label,
      epoch: storage.epoch,
      primary: storage.owner,
      listed_at: iso(storage.listedAt),
      trouble: storage.trouble,
    },
    databases: databases.map(databaseJson),
  };
}

function databaseJson(one: DatabaseStatus): Readonly<Record<string, unknown>> {
  const {
    name,
    tier,
    level,
    evidence,
    rpo,
    limit,
    committed,
    shipped,
    applied,
    published,
    shipLag,
    copyLag,
    applyLag,
    provenAt,
    breaches,
    reasons,
  } = one;
  return {
    ...{ name, tier, level, evidence },
    rpo_ms: rounded(rpo),
    limit_ms: limit,
    committed: headJson(committed),
    shipped: headJson(shipped),
    applied: headJson(applied),
    published: headJson(published),
    ship_lag_ms: rounded(shipLag),
    copy_lag_ms: rounded(copyLag),
    working_copy_lag_ms: rounded(applyLag),
    proven_at: iso(provenAt),
    breaches,
    reasons,
  };
}

function headJson(head: Head | null): Readonly<Record<string, unknown>> | null {
  if (!head) return null;
  const { txid, beat, time, seenAt } = head;
  return {
    txid,
    heartbeat: beat && { epoch: beat.epoch, seq: beat.seq, at: iso(beat.at) },
    time: iso(time),
    seen_at: iso(seenAt),
  };
}

function alarmJson({ kind, subject, since, sentence }: Alarm): Readonly<Record<string, unknown>> {
  return { kind, subject, since: iso(since), sentence };
}

function iso(at: Millis | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function rounded(ms: Millis | null): number | null {
  return ms === null ? null : Math.round(ms);
}
