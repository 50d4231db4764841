import type { Database } from "../manifest/model.ts";
import type { FindingDraft } from "./findings.ts";
import type { DrillReport } from "./report.ts";

/** So many drills before are what is usual. */
const BEFORE = 7;
/** Slower by half again is a finding, */
const FACTOR = 1.5;
/** unless it is less than this: a machine that has something else to do is no regression. */
const LEAST_SECONDS = 1;

type Measured = Pick<DrillReport, "id" | "perDatabase" | "markers" | "totals">;

/** @param earlier newest first. @returns those that a drill is compared with. */
export function toCompare<T extends Measured>(earlier: readonly T[]): readonly T[] {
  return earlier.slice(0, BEFORE);
}

/**
 * What got worse by more than half against the median of the drills before. Data lost rises and falls by a heartbeat's or a sync's
 * length by itself, so that much more is none.
 */
export function compare(now: Measured, earlier: readonly Measured[], databases: readonly Database[]): FindingDraft[] {
  const before = toCompare(earlier);
  return [
    ...slowerDatabases(now, before, databases),
    ...slowerInAll(now, before),
    ...worseMarkers(now, before, databases),
  ];
}

function slowerDatabases(now: Measured, before: readonly Measured[], databases: readonly Database[]): FindingDraft[] {
  return databases.flatMap((database): FindingDraft[] => {
    const rows = before.map(({ perDatabase }) => perDatabase.find(({ name }) => name === database.name));
    const row = now.perDatabase.find(({ name }) => name === database.name);
    const seconds = worse(
      row?.seconds,
      rows.map((one) => one?.seconds),
      LEAST_SECONDS,
    );
    const step = (database.heartbeat ?? database.syncInterval) / 1000;
    const rpo = worse(
      row?.rpoSeconds,
      rows.map((one) => one?.rpoSeconds),
      step + LEAST_SECONDS,
    );
    return [
      ...(seconds ? [slower(database.name, seconds, database)] : []),
      ...(rpo ? [lostMore(database.name, rpo, database)] : []),
    ];
  });
}

function slowerInAll({ totals }: Measured, before: readonly Measured[]): FindingDraft[] {
  const usual = before.filter((one) => one.totals.restored >= totals.restored);
  const seconds = worse(
    totals.restoreSeconds,
    usual.map((one) => one.totals.restoreSeconds),
    LEAST_SECONDS,
  );
  return seconds ? [slower("all", seconds)] : [];
}

function worseMarkers(now: Measured, before: readonly Measured[], databases: readonly Database[]): FindingDraft[] {
  return (now.markers?.databases ?? []).flatMap(({ name, tier, rpoSeconds }) => {
    const rows = before.map(({ markers }) => markers?.databases.find((one) => one.tier === tier)?.rpoSeconds);
    const sync = databases.find((database) => database.tier.name === tier)?.tier.syncInterval ?? 0;
    const rpo = worse(rpoSeconds, rows, sync / 1000 + LEAST_SECONDS);
    return rpo ? [lostMore(name, rpo)] : [];
  });
}

/** Both numbers, where the new one is too much more than the median of the old ones. */
function worse(
  now: number | null | undefined,
  before: readonly (number | null | undefined)[],
  least: number,
): readonly [now: number, usual: number] | null {
  const usual = median(before.filter((value) => typeof value === "number"));
  if (typeof now !== "number" || usual === null) return null;
  return now > usual * FACTOR && now - usual > least ? [now, usual] : null;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

function slower(subject: string, [now, usual]: readonly [number, number], database?: Database): FindingDraft {
  const what = subject === "all" ? "Restoring all databases" : `Restoring ${subject}`;
  return {
    ...{ kind: "restore_slower", subject, ...(database && { database }) },
    sentence: `${what} took ${now.toFixed(1)} s; ${usual.toFixed(1)} s is usual.`,
    remedy:
      "More changes since the last snapshot, a slower network, or a bigger database? Its numbers are in the report.",
  };
}

function lostMore(subject: string, [now, usual]: readonly [number, number], database?: Database): FindingDraft {
  return {
    ...{ kind: "rpo_worse", subject, ...(database && { database }) },
    sentence: `${subject} would have lost ${now.toFixed(1)} s; ${usual.toFixed(1)} s is usual.`,
    remedy: "Type alai dr status --all, and look at the ship lag.",
  };
}
