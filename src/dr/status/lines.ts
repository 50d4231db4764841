import { alarmText } from "./alarm-text.ts";
import { SAID } from "./assess.ts";
import type { DatabaseStatus, HostStatus, Status } from "./status.ts";

/** What a line of a pipe is about: a database, or something that is wrong elsewhere. */
export interface Line
  extends Pick<DatabaseStatus, "level" | "name" | "tier" | "evidence" | "rpo" | "shipLag" | "copyLag" | "reasons"> {
  readonly kind: "database" | "host" | "storage" | "alarm";
  readonly limit: DatabaseStatus["limit"] | null;
}

/** Every database, then whatever else keeps the status from being green: who reads only lines must find the cause among them. */
export function toLines({ databases, hosts, storage }: Status): readonly Line[] {
  return [
    ...databases.map(databaseLine),
    ...hosts.flatMap(hostLines),
    ...(storage.trouble === null ? [] : [trouble("storage", "storage", storage.trouble)]),
  ];
}

/** A database as a line. */
export function databaseLine(database: DatabaseStatus): Line {
  return { ...database, kind: "database" };
}

function hostLines({ name, answers, trouble: why, alarms }: HostStatus): Line[] {
  const silent = answers ? why : `It does not answer${why ? `: ${why}` : "."}`;
  return [
    ...(silent === null ? [] : [trouble("host", name, silent)]),
    ...alarms
      .filter(({ kind }) => !SAID.has(kind))
      .map((alarm) => trouble("alarm", name, `${alarm.kind}: ${alarmText(alarm)}`)),
  ];
}

function trouble(kind: Line["kind"], name: string, why: string): Line {
  const nothing = { tier: "", evidence: null, rpo: null, limit: null, shipLag: null, copyLag: null };
  return { ...nothing, kind, level: "degraded", name, reasons: [why] };
}
