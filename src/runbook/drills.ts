import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";

/** What the runbook takes out of a drill's report. */
export interface Drill {
  readonly id: string;
  readonly startedAt: Millis;
  readonly mode: string;
  /** PASS, FINDINGS, INCOMPLETE or FAIL. */
  readonly verdict: string;
  /** All databases restored from storage and checked; null: not measured. */
  readonly restoreSeconds: number | null;
  /** The most that would have been lost of one database, real ones and the drill's own; null: not measured. */
  readonly rpoWorstSeconds: number | null;
  readonly databases: readonly { readonly name: string; readonly seconds: number | null; readonly ok: boolean }[];
  readonly findings: number;
}

/** The last drill that restored everything: what it took is what a failover takes. */
export function lastWhole(drills: readonly Drill[]): Drill | undefined {
  return drills.find(
    ({ restoreSeconds, databases }) =>
      restoreSeconds !== null && databases.length > 0 && databases.every(({ ok }) => ok),
  );
}

/** Reports of drills in the `drills` folders of these state folders, the newest first. What cannot be read is none. */
export function readDrills(stateFolders: readonly string[]): readonly Drill[] {
  const found = new Map<string, Drill>();
  for (const folder of new Set(stateFolders))
    for (const drill of drillsIn(join(folder, "drills"))) found.set(drill.id, drill);
  return [...found.values()].sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1));
}

function drillsIn(folder: string): Drill[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.filter((name) => name.endsWith(".json")).flatMap((name) => parsed(join(folder, name)));
}

type Said = Readonly<Record<string, unknown>>;

/** A drill that was killed may leave half a report. */
function parsed(file: string): Drill[] {
  try {
    const { id, startedAt, mode, verdict, totals, perDatabase, findings } = Object(
      JSON.parse(readFileSync(file, "utf8")),
    ) as Said;
    const at = moment(startedAt);
    if (typeof id !== "string" || at === null) return [];
    const sums = Object(totals) as Said;
    return [
      {
        ...{ id, startedAt: at, mode: word(mode), verdict: word(verdict) },
        restoreSeconds: number(sums.restoreSeconds),
        rpoWorstSeconds: worst(number(sums.rpoWorstSeconds), number(sums.markerRpoSeconds)),
        databases: Array.isArray(perDatabase) ? perDatabase.flatMap(database) : [],
        findings: Array.isArray(findings) ? findings.length : 0,
      },
    ];
  } catch {
    return [];
  }
}

function database(value: unknown): Drill["databases"][number][] {
  const { name, seconds, ok } = Object(value) as Said;
  return typeof name === "string" ? [{ name, seconds: number(seconds), ok: ok === true }] : [];
}

function word(value: unknown): string {
  return typeof value === "string" ? value : "unknown";
}

function worst(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Milliseconds since 1970, or ISO 8601. */
function moment(value: unknown): Millis | null {
  const at = typeof value === "string" ? Date.parse(value) : number(value);
  return at === null || Number.isNaN(at) ? null : at;
}
