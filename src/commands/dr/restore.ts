import { resolve } from "node:path";
import { type Millis, toIso } from "@alai/core";
import { hexTxid } from "../../dr/ltx/name.ts";
import type { Database, Manifest } from "../../dr/manifest/model.ts";
import type { Job, Refused } from "../../dr/restore/jobs.ts";
import type { Replicas } from "../../dr/restore/listing.ts";
import type { Outcome } from "../../dr/restore/many.ts";
import { moment, txid } from "../../dr/restore/moment.ts";
import type { Wish } from "../../dr/restore/target.ts";
import { startBar } from "../../kit/bar.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { toFailure, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { oneOf, wholeNumber } from "../../kit/values.ts";
import { span } from "../../kit/when.ts";
import { MANIFEST_FLAG } from "./flags.ts";

/** What became of one: restored, failed, or not even begun. */
type Ended = Outcome<Job> | Refused;

const CHECK = oneOf("check", ["quick", "full"]);

export const command = defineCommand({
  summary: "restore databases from storage, as of any moment that it has",
  description: `A database is made beside its place, checked, and only then given its name; nothing is ever overwritten. The newest epoch that
has the database is read. Single transactions are kept for minutes, later only moments some 30 s apart; every file is verified by
its checksum. The result is in WAL mode, as the original, and the same bytes as litestream restore makes. Of several, one that cannot
be restored stops no other: it is named, and the exit is 1.
Lines (not on a terminal): name, file, TXID, time of the newest data, its age in ms, bytes, ok or failed, why.`,
  examples: [
    ["alai dr restore mission-control", "the newest, into ./mission-control.db"],
    ['alai dr restore invoices --at "2h ago" -o invoices-before.db', "as it was two hours ago"],
    ["alai dr restore --all -o restored", "every database, into a folder"],
  ],
  args: [{ name: "db", summary: "names, as the manifest has them", optional: true, variadic: true }],
  flags: {
    ...MANIFEST_FLAG,
    at: { value: "TIME", summary: "as of then: 2026-12-01T09:30Z, 09:30 (today, UTC), or how long ago: 90m" },
    txid: { value: "HEX", summary: "as of exactly this TXID", parse: txid },
    output: {
      short: "o",
      value: "PATH",
      summary: "the file, or a folder (there already, or with a / at its end); for several databases a folder",
    },
    epoch: { value: "N", summary: "read this epoch, not the newest", parse: wholeNumber("number of an epoch", 1) },
    check: {
      value: "HOW",
      summary: "quick (pages and indexes' shape, the default) or full (each index entry too)",
      parse: CHECK,
    },
    all: { summary: "every database of the manifest" },
  },
  fields: {
    name: "the database",
    file: "where it was restored to",
    epoch: "the epoch that was read",
    txid: "what was restored: the TXID of the newest transaction in it",
    time: "when that was synced, ISO 8601",
    age_ms: "how old that is, or null",
    size: "bytes",
    check: "ok, or what is wrong",
    heartbeat: "epoch, seq and at of the heartbeat row in it, or null",
    files: "files of the replica that were read",
    took_ms: "how long it took",
    error: "why it was not restored, or null",
  },
  async run(context, { args: [names], flags }) {
    const wish = wishOf(context, flags);
    const [{ readManifest }, { openStorage }, { ReplicaListing }, { restoreMany }, { InterruptibleStorage }] =
      await Promise.all([
        import("../../dr/manifest/read.ts"),
        import("../../dr/storage/open.ts"),
        import("../../dr/restore/listing.ts"),
        import("../../dr/restore/many.ts"),
        import("../../dr/drill/interruptible.ts"),
      ]);
    const manifest = readManifest(context, flags.manifest);
    const place = await import("../../dr/restore/place.ts");
    place.refuseOutput(manifest, resolve(context.cwd, flags.output ?? ""), flags.output);
    const databases = await chosen(manifest, names ?? [], flags.all === true);
    if (databases.length > 1 && flags.txid !== undefined)
      throw usage("--txid goes with one database: each counts its own.", "Type --at TIME for several of one moment.");
    if (databases.length > 1 && flags.output === undefined)
      throw usage(
        "Where to? Several databases go into a folder.",
        "Type for example: alai dr restore --all -o restored",
      );
    const opened = await openStorage(context, manifest.storage);
    context.onExit(() => opened.close());
    const storage = new InterruptibleStorage(opened, context.interrupted);
    const listing = await withSpinner(context, "looking what storage has…", () =>
      ReplicaListing.make(storage, flags.epoch),
    );
    const replicas = await listing.replicas;
    const { jobsFor, planAgain } = await import("../../dr/restore/jobs.ts");
    const how = { storage, wish, epoch: flags.epoch };
    const planned = await jobsFor(
      databases.filter(({ name, optional }) => !optional || !flags.all || replicas.has(name)),
      {
        ...{ ...how, listing },
        placeOf: (database) =>
          place.placeOf(context.cwd, database, { output: flags.output, several: databases.length > 1 }),
      },
    );
    const jobs = planned.filter((one) => "target" in one);
    const bytes = jobs.reduce((sum, { target }) => sum + target.files.reduce((all, { size }) => all + size, 0), 0);
    const bar = startBar(context, jobs.length === 1 ? (jobs[0]?.name ?? "") : "restoring", bytes, "bytes");
    let read = 0;
    const onBytes = (more: number) => {
      read += more;
      bar.step(read);
    };
    const outcomes = await restoreMany(jobs, {
      ...{ storage, check: { mode: flags.check ?? "quick" }, onBytes },
      again: { listing, plan: (job, newer) => planAgain(job, newer, how) },
    }).finally(() => bar.end());
    const refused = planned.filter((one) => "error" in one);
    if (flags.epoch === undefined) sayOlderEpochs(context, outcomes, replicas);
    return report(context, inOrderOf(planned, [...outcomes, ...refused]));
  },
});

function wishOf(context: Context, { at, txid }: { at?: string | undefined; txid?: number | undefined }): Wish {
  if (at !== undefined && txid !== undefined)
    throw usage("--at and --txid do not go together.", "Leave one of them out.");
  if (at === undefined) return { txid };
  const then = moment(at, context.clock());
  if (/^\d\d:/.test(at.trim()) && !context.flags.quiet) context.warn(`${at.trim()} is taken as ${toIso(then)}.`);
  return { txid, at: then };
}

async function chosen(manifest: Manifest, names: readonly string[], all: boolean): Promise<readonly Database[]> {
  if (all && names.length > 0) throw usage("--all and names do not go together.", "Leave one of them out.");
  if (all) return manifest.databases.toSorted((a, b) => a.tier.order - b.tier.order || (b.size ?? 0) - (a.size ?? 0));
  if (names.length === 0)
    throw usage("Which database?", "Type for example: alai dr restore mission-control, or --all -o FOLDER.");
  const { requireDatabase } = await import("../../dr/restore/find-database.ts");
  // A name and a path may be the same database's.
  return [...new Set(names.map((name) => requireDatabase(manifest, name)))];
}

/** Right after a takeover a database may not be in the new epoch yet: what came since is not in what was restored. */
function sayOlderEpochs(context: Context, outcomes: readonly Outcome<Job>[], replicas: Replicas): void {
  const newest = Math.max(...[...replicas.values()].flatMap((all) => all.map(({ epoch }) => epoch)));
  for (const { job, ...ended } of outcomes)
    if ("restored" in ended && job.epoch < newest)
      context.warn(`${job.name} is of epoch ${job.epoch}: storage has nothing of it in epoch ${newest} yet.`);
}

/** As they were named, whatever was done first. */
function inOrderOf(planned: readonly (Job | Refused)[], ended: readonly Ended[]): readonly Ended[] {
  const names = planned.map((one) => ("job" in one ? one.job.name : one.name));
  return ended.toSorted((a, b) => names.indexOf(a.job.name) - names.indexOf(b.job.name));
}

async function report(context: Context, outcomes: readonly Ended[]): Promise<number> {
  const failures = outcomes.filter((outcome) => "error" in outcome);
  // One alone says what went wrong as every command does.
  if (outcomes.length === 1 && failures[0]) throw failures[0].error;
  for (const { job } of outcomes) if ("target" in job && job.target.warning) context.warn(job.target.warning);
  const now = context.clock();
  await printRows(
    context,
    outcomes.map((outcome) => toRow(outcome, now)),
    {
      columns: [
        { header: "NAME", value: ({ name }) => name },
        { header: "FILE", value: ({ file }) => file, flexible: true, wraps: true },
        { header: "TXID", value: ({ txid }) => txid ?? "", show: ({ txid }) => txid?.replace(/^0+(?=.)/, "") ?? "" },
        {
          header: "AS OF",
          value: ({ time }) => time ?? "",
          show: ({ time, age_ms }) => (time === null ? "" : `${time} (${span(age_ms ?? 0)} ago)`),
        },
        { header: "AGE", value: ({ age_ms }) => `${age_ms ?? ""}`, only: "lines" },
        {
          header: "BYTES",
          value: ({ size }) => `${size ?? ""}`,
          show: ({ size }) => size?.toLocaleString("en") ?? "",
          right: true,
        },
        {
          header: "CHECK",
          value: ({ check }) => (check === "ok" ? "ok" : "failed"),
          show: ({ check }, style) => (check === "ok" ? style.good("✓ ok") : style.bad("✗ failed")),
        },
        { header: "WHY", value: ({ error }) => error ?? "", optional: true },
      ],
      json: (row) => ({ ...row }),
    },
  );
  for (const hint of new Set(failures.map(({ error }) => hintOf(error)))) if (hint) context.warn(hint);
  return failures.length === 0 ? EXIT.ok : worstExit(failures.map(({ error }) => error));
}

/** Of what stands in the way of all; a database's own trouble is in its row. */
function hintOf(error: unknown): string | undefined {
  const { exit, hint } = toFailure(error);
  return exit === EXIT.signIn || exit === EXIT.unavailable ? hint : undefined;
}

/** 1 where something is wrong with a database or its place; an outage is never that. */
function worstExit(errors: readonly unknown[]): number {
  const exits = errors.map((error) => toFailure(error).exit).filter((exit) => exit !== EXIT.notFound);
  return exits.reduce<number>((worst, exit) => Math.max(worst, exit), EXIT.refused);
}

function toRow(outcome: Ended, now: Millis) {
  const { name, out: file, epoch } = outcome.job;
  if ("error" in outcome) {
    const nothing = {
      txid: null,
      time: null,
      age_ms: null,
      size: null,
      check: null,
      heartbeat: null,
      files: null,
      took_ms: null,
    };
    return { name, file, epoch, ...nothing, error: toFailure(outcome.error).message };
  }
  const { txid: reached, time, size, checked, files, took } = outcome.restored;
  return {
    ...{ name, file, epoch, txid: hexTxid(reached), time: toIso(time), age_ms: now - time, size, check: "ok" },
    heartbeat: checked.beat && { ...checked.beat, at: toIso(checked.beat.at) },
    ...{ files, took_ms: Math.round(took), error: null },
  };
}
