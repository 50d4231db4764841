import { escaped, STYLE } from "../status/html.ts";
import { bars, trend } from "./plots.ts";
import type { DrilledDatabase, DrillReport, Verdict } from "./report.ts";
import { bytesText, careOf, circumstances, METHOD, secondsText, summary, timeText, VERDICT_TEXT } from "./text.ts";

/** So many drills before are drawn. */
const BEFORE = 60;

const MORE = `.bar{fill:var(--c0)}.bar.bad{fill:var(--bad)}circle{stroke:none}.dot0{fill:var(--c0)}.dot1{fill:var(--c1)}.dot2{fill:var(--c2)}.dot3{fill:var(--c3)}th.r{width:16rem}`;

/** Classes of the status page's colours. */
const CLASS: Readonly<Record<Verdict, string>> = {
  PASS: "ok",
  FINDINGS: "degraded",
  INCOMPLETE: "degraded",
  FAIL: "breached",
};

/** The report as one page that needs nothing from elsewhere: no script, no font, no picture. @param earlier newest first. */
export function toHtml(report: DrillReport, earlier: readonly DrillReport[]): string {
  const { id, verdict } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>DR drill ${escaped(id)}: ${verdict}</title><style>${STYLE}${MORE}</style></head><body>
<h1>DR drill: <span class="${CLASS[verdict]}">${verdict}</span></h1>
<p>${VERDICT_TEXT[verdict]}</p>
<p class="dim">${escaped(id)}, next due ${timeText(report.nextDue)}</p>
${facts(summary(report))}
<h2>Findings</h2>${findings(report)}
<h2>Restore and check, each database</h2>${restoreBars(report)}
<h2>What production would have lost</h2>${rpoBars(report)}<p class="dim">Dashed: allowed by the tier, where the scale reaches it.</p>
<h2>A crash: writer and Litestream killed</h2>${markers(report)}
<h2>Drill by drill</h2>${trends(report, earlier)}
<h2>Databases</h2>${databases(report)}
<h2>Timeline</h2>${timeline(report)}
<h2>Circumstances</h2>${facts(circumstances(report))}
<h2>Method</h2><ul>${METHOD.map((sentence) => `<li>${escaped(sentence)}</li>`).join("")}</ul>
<h2>Sign-off</h2>${table(["Read by", "On", "Decision"], [[" ", " ", " "]])}
</body></html>
`;
}

function facts(rows: readonly (readonly [string, string])[]): string {
  const lines = rows.map(([label, value]) => `<tr><th class="r">${escaped(label)}</th><td>${escaped(value)}</td></tr>`);
  return `<div class="scroll"><table>${lines.join("")}</table></div>`;
}

function findings(report: DrillReport): string {
  if (report.findings.length === 0) return "<p>None.</p>";
  const rows = report.findings.map((finding) => {
    const weight = `<td class="${CLASS[finding.verdict]}">${finding.verdict}</td>`;
    const cells = [finding.sentence, finding.remedy, careOf(finding, report)];
    return `<tr>${weight}${cells.map((text) => `<td>${escaped(text)}</td>`).join("")}</tr>`;
  });
  const trouble = report.tasks?.trouble;
  const said = trouble ? `<p class="breached">Not in Mission Control: ${escaped(trouble)}</p>` : "";
  return `${said}<div class="scroll"><table><tr><th>Weight</th><th>Finding</th><th>What to do</th><th>Who, until when</th></tr>${rows.join("")}</table></div>`;
}

function restoreBars({ perDatabase }: DrillReport): string {
  const rows = perDatabase.map(({ name, seconds, ok }) => ({ label: name, seconds, isBad: !ok }));
  return bars(rows, "seconds to restore each database");
}

function rpoBars({ perDatabase }: DrillReport): string {
  const rows = perDatabase.map(({ name, rpoSeconds, limitSeconds }) => ({
    ...{ label: name, seconds: rpoSeconds, limit: limitSeconds },
    isBad: rpoSeconds !== null && rpoSeconds > limitSeconds,
  }));
  return bars(rows, "seconds that each database would have lost");
}

function markers({ markers: all }: DrillReport): string {
  if (!all) return "<p>Not measured.</p>";
  const rows = all.databases.map(({ tier, rpoSeconds, limitSeconds }) => ({
    ...{ label: tier, seconds: rpoSeconds, limit: limitSeconds, isBad: rpoSeconds > limitSeconds },
  }));
  const cells = all.databases.map(({ tier, acknowledged, lost, rpoSeconds, limitSeconds }) => [
    ...[tier, `${acknowledged}`, `${lost}`, secondsText(rpoSeconds), `${limitSeconds} s`],
  ]);
  return `${bars(rows, "seconds lost in a crash, each tier")}${table(["Tier", "Rows acknowledged", "Lost", "Time lost", "Allowed"], cells)}`;
}

function trends(report: DrillReport, earlier: readonly DrillReport[]): string {
  const drills = [...earlier.slice(0, BEFORE).toReversed(), report];
  const line = (label: string, of: (totals: DrillReport["totals"]) => number | null) => ({
    label,
    points: drills.map(({ startedAt, totals }) => ({ at: startedAt, seconds: of(totals) })),
  });
  const restore = [line("all restored and checked", ({ restoreSeconds }) => restoreSeconds)];
  const lost = [
    line("production", ({ rpoWorstSeconds }) => rpoWorstSeconds),
    line("crash", ({ markerRpoSeconds }) => markerRpoSeconds),
  ];
  const keys = (lines: readonly { label: string }[]) =>
    `<p class="dim">${lines.map(({ label }, at) => `<span class="key${at}">— ${label}</span>`).join(" ")}, seconds</p>`;
  return `${trend(restore, "restore time over drills")}${keys(restore)}${trend(lost, "data lost over drills")}${keys(lost)}`;
}

function databases({ perDatabase }: DrillReport): string {
  const rows = perDatabase.map(databaseRow).join("");
  return `<div class="scroll"><table><tr><th>Result</th><th>Database</th><th>Tier</th><th class="n">Restored</th><th class="n">Size</th><th class="n">Would be lost</th><th class="n">Allowed</th><th>Why</th></tr>${rows}</table></div>`;
}

function databaseRow(one: DrilledDatabase): string {
  const { name, tier, seconds, bytes, rpoSeconds, limitSeconds, ok, why } = one;
  const numbers = [secondsText(seconds), bytesText(bytes), secondsText(rpoSeconds), `${limitSeconds} s`];
  return `<tr><td class="${ok ? "ok" : "breached"}">${ok ? "ok" : "failed"}</td><td>${escaped(name)}</td><td>${escaped(tier)}</td>${numbers.map((text) => `<td class="n">${text}</td>`).join("")}<td>${escaped(why ?? "")}</td></tr>`;
}

function timeline({ timeline: steps }: DrillReport): string {
  const rows = steps.map(({ name, atSeconds, seconds, outcome }) => [
    ...[name, secondsText(atSeconds), secondsText(seconds), outcome],
  ]);
  return table(["Step", "Began after", "Took", "Outcome"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table>${line("th", head)}${rows.map((cells) => line("td", cells)).join("")}</table></div>`;
}
