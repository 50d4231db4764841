import { toIso } from "@alai/core";
import type { ReportFiles } from "./history.ts";
import type { DrillReport } from "./report.ts";

/** Fields that are moments. */
const TIMES = new Set(["startedAt", "endedAt", "nextDue", "due", "at"]);

/** The report in the names and units of `--json`: words joined by `_`, times as ISO 8601 in UTC. */
export function toJson(report: DrillReport, files: ReportFiles): Readonly<Record<string, unknown>> {
  return converted({ ...report, files }) as Readonly<Record<string, unknown>>;
}

function converted(value: unknown, name = ""): unknown {
  if (typeof value === "number" && TIMES.has(name)) return toIso(value);
  if (Array.isArray(value)) return value.map((one: unknown) => converted(one));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [snake(key), converted(one, key)]));
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
