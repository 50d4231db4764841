import type { Millis } from "@alai/core";
import { nextAfter } from "../daily/schedule.ts";
import type { Database, Manifest } from "../manifest/model.ts";
import { compare, toCompare } from "./compare.ts";
import { type FindingDraft, verdictOf, weigh } from "./findings.ts";
import { isLocal, isOutage, judgeDatabase } from "./judge.ts";
import type { PrimaryLook } from "./primary.ts";
import { DRILL_INTERVAL, type DrilledDatabase, type DrillReport, type Markers, type Totals } from "./report.ts";
import type { RestoredAll } from "./restore-all.ts";

/** Everything that a drill measured, not yet judged. */
export interface Measured
  extends Pick<DrillReport, "id" | "startedAt" | "endedAt" | "host" | "machine" | "by" | "storage" | "versions"> {
  /** In the order of the report. */
  readonly databases: readonly Database[];
  readonly primary: PrimaryLook;
  readonly restored: RestoredAll;
  /** Or why they were not measured. */
  readonly markers: Markers | { readonly trouble: string };
  readonly steps: DrillReport["timeline"];
}

/** The report of a drill. @param earlier newest first. */
export function compose(manifest: Manifest, measured: Measured, earlier: readonly DrillReport[]): DrillReport {
  const { databases, primary, restored, steps, markers: marked, ...base } = measured;
  const judged = databases.map((database) =>
    judgeDatabase(database, restored.byName.get(database.name) ?? { kind: "none" }, primary),
  );
  const perDatabase = judged.map(({ row }) => row);
  const markers = "trouble" in marked ? null : marked;
  const totals = totalsOf(perDatabase, restored.took, markers);
  const drafts = [
    ...judged.flatMap(({ findings }) => findings),
    ...ofTheWhole(measured),
    ...compare({ id: base.id, perDatabase, markers, totals }, earlier, databases),
  ];
  const findings = weigh(drafts, base.endedAt);
  return {
    ...base,
    mode: "isolated",
    manifest: { file: manifest.file, hash: manifest.hash },
    primary: { host: primary.host, at: primary.at, trouble: primary.trouble },
    ...{ perDatabase, markers, totals, timeline: steps, findings, tasks: null },
    verdict: verdictOf(findings),
    comparedWith: toCompare(earlier).map(({ id }) => id),
    nextDue:
      manifest.daily.drill === null ? base.startedAt + DRILL_INTERVAL : nextAfter(manifest.daily.drill, base.startedAt),
  };
}

function ofTheWhole({ primary, restored, markers }: Measured): FindingDraft[] {
  const found = unrestored(restored);
  if (primary.trouble !== null)
    found.push({
      ...{ kind: "rpo_unknown", subject: "primary" },
      sentence: `What production would lose is not known. ${primary.trouble}`,
      remedy:
        "Run the drill where the agent of the primary can be reached; ALAI_DR_TOKEN opens its report to other machines.",
    });
  if ("trouble" in markers)
    found.push({
      ...{ kind: "markers_not_measured", subject: "markers" },
      sentence: `What a crash would lose was not measured. ${markers.trouble}`,
      remedy: "Litestream and the right to write into storage are needed on the machine of the drill.",
    });
  else found.push(...markers.databases.filter((one) => one.rpoSeconds > one.limitSeconds).map(overLimit));
  return found;
}

/** Where storage or this machine failed, not a database. */
function unrestored({ byName }: RestoredAll): FindingDraft[] {
  const errors = [...byName.values()].flatMap((one) => (one.kind === "failed" ? [one.error] : []));
  const finding = (subject: string, count: number, why: string, remedy: string): FindingDraft[] =>
    count === 0
      ? []
      : [
          {
            kind: "not_restored",
            subject,
            sentence: `${why}: ${count} of ${byName.size} databases were not restored.`,
            remedy,
          },
        ];
  const again = "Run the drill again when storage answers; alai dr status says whether it does.";
  const room = "Why is in the report, beside each. Is there room for the four largest databases in the state folder?";
  return [
    ...finding("storage", errors.filter(isOutage).length, "Storage gave out", again),
    ...finding("scratch", errors.filter(isLocal).length, "This machine could not take them", room),
  ];
}

function overLimit({ name, tier, lost, rpoSeconds, limitSeconds }: Markers["databases"][number]): FindingDraft {
  return {
    ...{ kind: "markers_over_limit", subject: name },
    sentence: `A crash lost ${lost} acknowledged rows of ${name}, ${rpoSeconds.toFixed(1)} s; ${tier} allows ${limitSeconds} s.`,
    remedy: "How long does an upload to storage take from here? The sync interval of the tier adds to it.",
  };
}

function totalsOf(perDatabase: readonly DrilledDatabase[], took: Millis, markers: Markers | null): Totals {
  const rpos = perDatabase.flatMap(({ rpoSeconds }) => rpoSeconds ?? []);
  return {
    restoreSeconds: took / 1000,
    bytes: perDatabase.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    databases: perDatabase.length,
    restored: perDatabase.filter(({ seconds }) => seconds !== null).length,
    rpoWorstSeconds: rpos.length === 0 ? null : Math.max(...rpos),
    rpoUnknown: perDatabase.length - rpos.length,
    markerRpoSeconds: markers && Math.max(...markers.databases.map(({ rpoSeconds }) => rpoSeconds)),
    lostMarkers: markers?.databases.reduce((sum, { lost }) => sum + lost, 0) ?? null,
  };
}
