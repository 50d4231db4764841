import type { DrillReport, Finding, Markers, Verdict } from "./report.ts";

/** Numbers and sentences of a report, as each form of it has them. */

/** `3.2 s`, or a dash where it is not known. */
export function secondsText(seconds: number | null): string {
  return seconds === null ? "–" : `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** `12.3 MB`, or a dash. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return "–";
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `2026-11-21 20:22 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  PASS: "Every database was restored and found good, no tier would have lost more than it allows, and nothing was left out.",
  FINDINGS: "Every database was restored and found good; something got worse.",
  INCOMPLETE: "Nothing failed, and not everything could be measured: this proves less than a drill should.",
  FAIL: "Data could not be had back, or more of it would be lost than is allowed.",
};

/** What was measured in all, as label and value. */
export function summary({ totals, perDatabase, markers }: DrillReport): readonly (readonly [string, string])[] {
  const good = perDatabase.filter(({ ok }) => ok).length;
  const unknown = totals.rpoUnknown > 0 ? `; not known of ${totals.rpoUnknown}` : "";
  return [
    ["Databases found good", `${good} of ${totals.databases}`],
    [
      "All restored and checked in (RTO of the data)",
      `${secondsText(totals.restoreSeconds)}, ${bytesText(totals.bytes)}`,
    ],
    ["Production would have lost at most (RPO)", `${secondsText(totals.rpoWorstSeconds)}${unknown}`],
    ["Lost by killing writer and Litestream", crashText(markers)],
  ];
}

/** What the killing of writer and Litestream lost, and whether the tiers allow that. */
export function crashText(markers: Markers | null): string {
  if (!markers) return "not measured";
  const { databases } = markers;
  const lost = databases.reduce((sum, one) => sum + one.lost, 0);
  if (lost === 0) return "no acknowledged row";
  const worst = Math.max(...databases.map(({ rpoSeconds }) => rpoSeconds));
  const over = databases.filter(({ rpoSeconds, limitSeconds }) => rpoSeconds > limitSeconds).map(({ tier }) => tier);
  const allowed = over.length === 0 ? "within what each tier allows" : `more than ${over.join(", ")} allows`;
  return `the last ${secondsText(worst)} at most, ${lost} acknowledged ${lost === 1 ? "row" : "rows"}: ${allowed}`;
}

/** Where it ran, with what. */
export function circumstances(report: DrillReport): readonly (readonly [string, string])[] {
  const { host, machine, by, storage, manifest, versions, primary, nextDue } = report;
  return [
    ["Drill", `${report.id}, isolated: production databases are read from storage, and never written`],
    ["Began, ended", `${timeText(report.startedAt)}, ${timeText(report.endedAt)}`],
    ["Ran on", `${host ?? "no host of the manifest"} (${machine}), started by ${by}`],
    ["Primary", primary.trouble ?? `${primary.host}, asked ${timeText(primary.at ?? 0)}`],
    ["Storage", storage],
    ["Manifest", `${manifest.file}, SHA-256 ${manifest.hash}`],
    ["Versions", `alai ${versions.alai}, Litestream ${versions.litestream ?? "none"}, SQLite ${versions.sqlite}`],
    ["Compared with", report.comparedWith.length === 0 ? "none: the first drill here" : report.comparedWith.join(", ")],
    ["Next due", timeText(nextDue)],
  ];
}

/** Who has a finding, until when, and under which task. */
export function careOf(finding: Finding, { tasks, findings }: Pick<DrillReport, "tasks" | "findings">): string {
  const task = tasks?.filed[findings.indexOf(finding)];
  const number = task ? `, task #${task.id} (${task.state})` : "";
  return `${finding.owner ?? "on call"}, until ${timeText(finding.due)}${number}`;
}

/** What the drill shows and what it does not. */
export const METHOD = [
  "Each database was restored from storage alone: every file verified by its checksum, SQLite's quick check, the heartbeat read, tables looked for. Times are by one monotonic clock.",
  "Production's loss (RPO) is the age of the newest heartbeat restored against the newest one that the primary's agent had reported before, both by the primary's clock; it is as fine as the tier's heartbeat is. A database without heartbeats is compared by Litestream's position.",
  "The loss of a crash was measured on databases of the drill's own, one for each tier: a witness kept each row of which the writer said so after COMMIT; writer and Litestream were ended by SIGKILL at a random moment; what was acknowledged and not restored was lost.",
  "Not shown: the time until a crash is noticed, the decision, services and names on the other host. That takes a failover.",
] as const;
