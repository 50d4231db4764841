import type { DrillReport } from "./run.ts";

/** The report for people: aligned, the verdict last. Keys are compared all, rows as many as were drawn. */
export function reportText(report: DrillReport): string {
  const head = [
    ["source", report.source, `journal ends at ${report.source_seq}`],
    ["restored", report.restored, `journal ends at ${report.restored_seq}, ${report.restored_at ?? "empty"}`],
  ];
  const tables = [
    ["table", "keys", "rows", "newer"],
    ...report.tables.map(({ table, settled, sampled, newer, difference }) => [
      table,
      difference ? "DIFFERS" : String(settled),
      String(sampled),
      String(newer),
    ]),
  ];
  const lost =
    report.events_lost === 0
      ? "nothing is newer than the backup"
      : `${report.events_lost} events are newer than the backup`;
  return [
    align(head),
    align(tables),
    `RPO ${report.rpo_seconds} s: ${lost}\nseed ${report.seed}, took ${report.seconds} s`,
    report.passed ? "passed" : `FAILED\n${report.failures.map((failure) => `  ${failure}`).join("\n")}`,
  ].join("\n\n");
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
