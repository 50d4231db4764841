import type { DrilledDatabase, DrillReport } from "./report.ts";
import { bytesText, careOf, circumstances, METHOD, secondsText, summary, timeText, VERDICT_TEXT } from "./text.ts";

/** So many drills before are shown. */
const BEFORE = 10;

/** The report as Markdown. @param earlier newest first. */
export function toMarkdown(report: DrillReport, earlier: readonly DrillReport[]): string {
  const { verdict, id } = report;
  const parts = [
    `# DR drill ${id}: ${verdict}`,
    VERDICT_TEXT[verdict],
    table(["Measured", ""], summary(report)),
    "## Findings",
    findings(report),
    "## Databases",
    table(
      ["Database", "Tier", "Restored", "Size", "Would be lost", "Allowed", "Result"],
      report.perDatabase.map(databaseRow),
    ),
    "## A crash",
    markers(report),
    "## Timeline",
    table(
      ["Step", "Began after", "Took", "Outcome"],
      report.timeline.map(({ name, atSeconds, seconds, outcome }) => [
        name,
        secondsText(atSeconds),
        secondsText(seconds),
        outcome,
      ]),
    ),
    "## Earlier drills",
    trend(earlier),
    "## Circumstances",
    table(["", ""], circumstances(report)),
    "## Method",
    METHOD.map((sentence) => `- ${sentence}`).join("\n"),
    "## Sign-off",
    table(["Read by", "On", "Decision"], [["", "", ""]]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function findings(report: DrillReport): string {
  if (report.findings.length === 0) return "None.";
  const rows = report.findings.map((finding) => [
    finding.verdict,
    finding.sentence,
    finding.remedy,
    careOf(finding, report),
  ]);
  const said = report.tasks?.trouble ? `\n\nNot in Mission Control: ${plain(report.tasks.trouble)}` : "";
  return table(["Weight", "Finding", "What to do", "Who, until when"], rows) + said;
}

function databaseRow(one: DrilledDatabase): readonly string[] {
  const { name, tier, seconds, bytes, rpoSeconds, limitSeconds, ok, why } = one;
  const result = `${ok ? "ok" : "FAILED"}${why ? `: ${why}` : ""}`;
  return [name, tier, secondsText(seconds), bytesText(bytes), secondsText(rpoSeconds), `${limitSeconds} s`, result];
}

function markers({ markers: all }: DrillReport): string {
  if (!all) return "Not measured.";
  const rows = all.databases.map(({ tier, acknowledged, lost, rpoSeconds, limitSeconds }) => [
    ...[tier, `${acknowledged}`, `${lost}`, secondsText(rpoSeconds), `${limitSeconds} s`],
  ]);
  return table(["Tier", "Rows acknowledged", "Lost", "Time lost", "Allowed"], rows);
}

function trend(earlier: readonly DrillReport[]): string {
  if (earlier.length === 0) return "None.";
  const rows = earlier
    .slice(0, BEFORE)
    .map(({ startedAt, verdict, totals }) => [
      ...[timeText(startedAt), verdict, secondsText(totals.restoreSeconds)],
      ...[secondsText(totals.rpoWorstSeconds), secondsText(totals.markerRpoSeconds)],
    ]);
  return table(["Drill", "Verdict", "All restored in", "Production", "Crash"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A cell must not end its table, nor be taken for HTML. */
function plain(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\s+/g, " ");
}
