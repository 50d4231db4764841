import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import { replaceDurably } from "../copy/durable.ts";
import type { DrillPlace } from "./place.ts";
import type { DrillReport } from "./report.ts";

/** Longer than a year, so that each has last year's beside it. */
const KEPT: Millis = 400 * 86_400_000;
const NAME = /^(\d{8}T\d{6}Z-[0-9a-f]{6})\.json$/;

/** The forms of one drill's report. */
export interface ReportFiles {
  readonly json: string;
  readonly markdown: string;
  readonly html: string;
}

/** All drills of this machine, newest first. What cannot be read is left out: it is not worth a drill that fails. */
export function readDrills({ reports }: Pick<DrillPlace, "reports">): readonly DrillReport[] {
  return idsIn(reports)
    .toReversed()
    .flatMap((id) => readDrill(join(reports, `${id}.json`)));
}

function readDrill(file: string): readonly DrillReport[] {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Partial<DrillReport>;
    const isWhole = typeof report.id === "string" && Array.isArray(report.perDatabase) && report.totals !== undefined;
    return isWhole ? [report as DrillReport] : [];
  } catch {
    return [];
  }
}

/** Where the files of a drill are. */
export function reportFiles({ reports }: Pick<DrillPlace, "reports">, id: string): ReportFiles {
  const at = (form: string) => join(reports, `${id}.${form}`);
  return { json: at("json"), markdown: at("md"), html: at("html") };
}

/** Writes each form whole or not at all, the one that others are made from first; forgets what is older than 400 days. */
export function writeDrill(
  { reports }: DrillPlace,
  report: DrillReport,
  forms: { readonly markdown: string; readonly html: string },
): ReportFiles {
  mkdirSync(reports, { recursive: true, mode: 0o700 });
  const files = reportFiles({ reports }, report.id);
  replaceDurably(files.json, `${JSON.stringify(report, null, 2)}\n`);
  replaceDurably(files.markdown, forms.markdown);
  replaceDurably(files.html, forms.html);
  forget(reports, report.startedAt - KEPT);
  return files;
}

function idsIn(reports: string): string[] {
  try {
    return readdirSync(reports)
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .sort();
  } catch {
    // No drill yet.
    return [];
  }
}

function forget(reports: string, before: Millis): void {
  const oldest = new Date(before).toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  for (const id of idsIn(reports).filter((one) => one < oldest))
    for (const file of Object.values(reportFiles({ reports }, id))) rmSync(file, { force: true });
}
