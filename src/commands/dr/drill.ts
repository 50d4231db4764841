import { toIso } from "@alai/core";
import { WRITER_WORD } from "../../dr/drill/markers/protocol.ts";
import type { DrilledDatabase, DrillReport } from "../../dr/drill/report.ts";
import { bytesText, crashText, secondsText, VERDICT_TEXT } from "../../dr/drill/text.ts";
import { type Bar, startBar } from "../../kit/bar.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, printRows } from "../../kit/output.ts";
import { startSpinner } from "../../kit/progress.ts";
import { oneOf } from "../../kit/values.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const WORDS = oneOf("part of a drill", ["list"]);

export const command = defineCommand({
  summary: "rehearse the restore of everything, and measure what a crash would lose",
  description: `The daily drill: every database is restored from storage into scratch and checked, and nothing of production is written. What
production would lose now is told by its heartbeats; what a crash loses is measured on databases of the drill's own, which a real
Litestream ships beside the others, and which are removed again. The report (JSON, Markdown, HTML with plots) goes to drills/ in
the host's state folder and is compared with earlier ones. Findings become tasks in Mission Control, each once.
Exit 0 PASS, 1 findings, incomplete or failed, 69 storage does not answer. More: docs/drill.md.
Lines (not on a terminal): ok or failed, name, tier, seconds, bytes, seconds lost, allowed, why.`,
  examples: [
    ["alai dr drill --isolated", "the daily one"],
    ["alai dr drill --isolated --no-tasks --json=verdict,findings", "for a script"],
    ["alai dr drill list", "drills of this machine, the newest first"],
  ],
  args: [
    {
      name: "list",
      summary: "list: earlier drills",
      optional: true,
      parse: (raw) => (raw === WRITER_WORD ? raw : WORDS(raw)),
    },
  ],
  flags: {
    ...MANIFEST_FLAG,
    isolated: { summary: "without touching production" },
    host: { value: "HOST", summary: "keep the reports in this host's state folder" },
    noTasks: { summary: "leave Mission Control out" },
  },
  fields: {
    id: "the drill",
    mode: "isolated",
    verdict: "PASS, FINDINGS, INCOMPLETE or FAIL",
    started_at: "ISO 8601",
    ended_at: "ISO 8601",
    host: "the host of the manifest that it ran on, or null",
    machine: "its name",
    by: "who started it",
    storage: "where the replicas are",
    manifest: "file and SHA-256",
    versions: "alai, litestream, sqlite",
    primary: "the host whose agent was asked, when, and what was wrong",
    per_database: "name, tier, seconds, bytes, ok, rpo_seconds, rpo_by, limit_seconds, why; list leaves it out",
    markers: "the drill's own databases: acknowledged, restored, lost, rpo_seconds; or null",
    totals: "restore_seconds, rpo_worst_seconds, lost_markers and more",
    timeline: "each step: when, how long, outcome",
    findings: "kind, subject, verdict, sentence, remedy, owner, due",
    tasks: "filed tasks, or why they could not be; null with --no-tasks",
    compared_with: "ids of earlier drills",
    next_due: "ISO 8601",
    files: "the report's files",
  },
  async run(context, { args: [word], flags }) {
    if (word === WRITER_WORD) return (await import("../../dr/drill/markers/writer.ts")).writeMarkers();
    if (word === undefined && !flags.isolated)
      throw usage(
        "Which drill? There is one, the isolated one, which touches no production database.",
        "Type alai dr drill --isolated. A failover and back again is rehearsed by hand: alai runbook render, Failover step by step.",
      );
    const [{ readManifest }, { proofFolder }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/prove/folder.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const stateFolder = proofFolder(context, manifest, flags.host);
    if (word !== undefined) return list(context, stateFolder);
    const host = manifest.hosts.find(({ state }) => state === stateFolder)?.name ?? null;
    const { runDrill } = await import("../../dr/drill/drill.ts");
    const progress = new Progress(context);
    const { report, files } = await runDrill(context, manifest, {
      ...{ stateFolder, host, tasks: !flags.noTasks },
      onBytes: (done, total) => progress.restoring(done, total),
      onMarkers: () => progress.markers(),
    }).finally(() => progress.end());
    if (context.flags.json) {
      const { toJson } = await import("../../dr/drill/json.ts");
      printJson(context, toJson(report, files));
    } else await print(context, report);
    say(context, report, files.html);
    return codeOf(report);
  },
});

function codeOf({ verdict, findings }: DrillReport): number {
  if (findings.some(({ kind, subject }) => kind === "not_restored" && subject === "storage")) return EXIT.unavailable;
  return verdict === "PASS" ? EXIT.ok : EXIT.refused;
}

/** A bar while databases are restored, a spinner while markers are written. */
class Progress {
  readonly #context: Context;
  #bar: Bar | null = null;
  #stop: () => void = () => undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  restoring(done: number, total: number): void {
    this.#bar ??= startBar(this.#context, "restoring", total, "bytes");
    this.#bar.step(done);
  }

  markers(): void {
    this.end();
    this.#stop = startSpinner(this.#context, "writing markers, to be killed…");
  }

  end(): void {
    this.#bar?.end();
    this.#stop();
  }
}

/** For people, beside the data. */
function say(context: Context, report: DrillReport, page: string): void {
  if (context.flags.json || context.flags.quiet) return;
  const { verdict, totals, findings, tasks, markers } = report;
  for (const { sentence, remedy } of findings) context.warn(`${sentence} ${remedy}`);
  if (tasks?.trouble) context.warn(`the findings are not in Mission Control: ${tasks.trouble}`);
  const filed = tasks?.filed.map(({ id, state }) => `#${id} (${state})`) ?? [];
  if (filed.length > 0) context.io.err(`Tasks: ${filed.join(", ")}\n`);
  const lines = [
    `${verdict}: ${VERDICT_TEXT[verdict]}`,
    `Restored and checked: ${totals.restored} of ${totals.databases} databases in ${secondsText(totals.restoreSeconds)}.`,
    `Production would have lost ${secondsText(totals.rpoWorstSeconds)} at most.`,
    `Lost in a crash of the drill's own databases: ${crashText(markers)}.`,
    `Report: ${page}`,
  ];
  context.io.err(`${lines.join("\n")}\n`);
}

function print(context: Context, { perDatabase }: DrillReport): Promise<void> {
  return printRows<DrilledDatabase>(context, perDatabase, {
    columns: [
      {
        header: "",
        value: ({ ok }) => (ok ? "ok" : "failed"),
        show: ({ ok }, style) => (ok ? style.good("✓") : style.bad("✗")),
      },
      { header: "NAME", value: ({ name }) => name },
      { header: "TIER", value: ({ tier }) => tier, expendable: 3 },
      {
        header: "RESTORED",
        value: ({ seconds }) => seconds?.toFixed(3) ?? "",
        show: ({ seconds }) => secondsText(seconds),
        right: true,
      },
      {
        header: "SIZE",
        value: ({ bytes }) => `${bytes ?? ""}`,
        show: ({ bytes }) => bytesText(bytes),
        right: true,
        expendable: 2,
      },
      {
        header: "LOST",
        value: ({ rpoSeconds }) => rpoSeconds?.toFixed(3) ?? "",
        show: ({ rpoSeconds }) => secondsText(rpoSeconds),
        right: true,
      },
      {
        header: "ALLOWED",
        value: ({ limitSeconds }) => `${limitSeconds}`,
        show: ({ limitSeconds }) => `${limitSeconds} s`,
        right: true,
        expendable: 1,
      },
      { header: "WHY", value: ({ why }) => why ?? "", optional: true, flexible: true, wraps: true },
    ],
    json: (row) => ({ ...row }),
  });
}

/** A column of seconds: bare in a pipe, with their unit for people. */
function seconds(header: string, of: (totals: DrillReport["totals"]) => number | null) {
  return {
    header,
    value: ({ totals }: DrillReport) => of(totals)?.toFixed(1) ?? "",
    show: ({ totals }: DrillReport) => secondsText(of(totals)),
    right: true,
  };
}

async function list(context: Context, stateFolder: string): Promise<void> {
  const [{ readDrills, reportFiles }, { drillPlace }, { toJson }] = await Promise.all([
    import("../../dr/drill/history.ts"),
    import("../../dr/drill/place.ts"),
    import("../../dr/drill/json.ts"),
  ]);
  const place = drillPlace(stateFolder);
  await printRows<DrillReport>(context, readDrills(place), {
    columns: [
      { header: "DRILL", value: ({ id }) => id },
      {
        header: "VERDICT",
        value: ({ verdict }) => verdict,
        show: ({ verdict }, style) => style[verdict === "PASS" ? "good" : verdict === "FAIL" ? "bad" : "warn"](verdict),
      },
      { header: "BEGAN", value: ({ startedAt }) => toIso(startedAt) },
      seconds("RESTORED IN", ({ restoreSeconds }) => restoreSeconds),
      seconds("LOST", ({ rpoWorstSeconds }) => rpoWorstSeconds),
      seconds("IN A CRASH", ({ markerRpoSeconds }) => markerRpoSeconds),
      { header: "FINDINGS", value: ({ findings }) => `${findings.length}`, right: true },
    ],
    json: (report) => {
      const { per_database: _, ...rest } = toJson(report, reportFiles(place, report.id));
      return rest;
    },
    empty: "No drill has run here. Type alai dr drill --isolated.",
  });
}
