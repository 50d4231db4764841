import { type Millis, toIso } from "@alai/core";
import { hexTxid } from "../../dr/ltx/name.ts";
import { type Proof, rowsIn } from "../../dr/prove/proof.ts";
import type { Proven } from "../../dr/prove/prove-all.ts";
import { startBar } from "../../kit/bar.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { wholeNumber } from "../../kit/values.ts";
import { span } from "../../kit/when.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const MARK = { ok: "✓", failed: "✗", none: "·", untried: "?" } as const;
const STYLE = { ok: "good", failed: "bad", none: "dim", untried: "warn" } as const;

export const command = defineCommand({
  summary: "prove that every database can be restored from storage",
  description: `A real restore of each into scratch, from storage alone: every file verified, SQLite's integrity check, rows of each table
counted, the heartbeat read, not older than at the last proof nor come to nothing since; then once more as it was at some earlier
moment. What was restored is removed at once. A proof is of the primary's epoch: after a takeover all is to be proven anew. The history is kept in prove.db in the
host's state folder; alai dr status shows a database red that was not proven for 36 h, or whose last proof failed, until a good one.
Run it every day, on the standby. Exit 1 when one fails; 69, or 4 for credentials, when one could not be tried, which is no proof
and no failure.
Lines (not on a terminal): ok, failed, none or untried, name, TXID, age in ms, bytes, tables, rows, earlier moment tried, ms, why.`,
  examples: [
    ["alai dr prove", "all of them"],
    ["alai dr prove mission-control invoices", "two of them"],
    ["alai dr prove --json=name,state,problem", "for a script"],
  ],
  args: [
    {
      name: "db",
      summary: "only these, by their names in the manifest; --db NAME does the same",
      optional: true,
      variadic: true,
    },
  ],
  flags: {
    ...MANIFEST_FLAG,
    host: { value: "HOST", summary: "keep the history in this host's state folder" },
    epoch: { value: "N", summary: "prove this epoch, not the primary's", parse: wholeNumber("number of an epoch", 1) },
    quick: { summary: "SQLite's quick check instead of the full one" },
  },
  fields: {
    state: "ok; failed; none: optional, and storage has nothing of it; untried: storage or this machine was in the way",
    name: "the database",
    at: "when it was restored, ISO 8601",
    epoch: "the epoch that is proven",
    txid: "the newest that storage had",
    time: "when that was synced, ISO 8601",
    age_ms: "how old that was",
    size: "bytes",
    tables: "rows of each table; null where they cannot be counted",
    rows: "rows of all tables",
    rows_before: "at the last good proof of this epoch, or null",
    heartbeat: "epoch, seq and at of the heartbeat row, or null",
    sample: "the earlier moment that was restored: at, txid, time, problem; or null",
    problem: "what failed or was in the way, or null",
    took_ms: "how long both restores took",
  },
  async run(context, { args: [names], flags }) {
    const [
      { readManifest },
      { openStorage },
      { proveAll },
      { proofFolder },
      { requireDatabase },
      { readPrimary },
      { InterruptibleStorage },
    ] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/storage/open.ts"),
      import("../../dr/prove/prove-all.ts"),
      import("../../dr/prove/folder.ts"),
      import("../../dr/restore/find-database.ts"),
      import("../../dr/epoch.ts"),
      import("../../dr/drill/interruptible.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    // The flag of every command that names a database: here it cannot mean the ledger's file.
    const wanted = new Set([...(names ?? []), ...(context.flags.db === undefined ? [] : [context.flags.db])]);
    // A name and a path may be the same database's.
    const named = [...new Set([...wanted].map((name) => requireDatabase(manifest, name)))];
    const databases = (named.length > 0 ? named : manifest.databases).toSorted((a, b) => a.tier.order - b.tier.order);
    const stateFolder = proofFolder(context, manifest, flags.host);
    const opened = await openStorage(context, manifest.storage);
    context.onExit(() => opened.close());
    const storage = new InterruptibleStorage(opened, context.interrupted);
    // Of another epoch than the primary's nothing is proven, were there ever so much of it.
    const epoch = flags.epoch ?? (await readPrimary(storage, manifest)).epoch;
    const bar = startBar(context, "proving", databases.length, "databases");
    let done = 0;
    const proven = await proveAll({
      ...{ storage, databases, stateFolder, epoch, clock: context.clock },
      mode: flags.quick ? "quick" : "full",
      onProof: () => bar.step(++done),
    }).finally(() => bar.end());
    await print(context, proven);
    for (const hint of new Set(proven.map(({ proof }) => proof.hindrance?.hint ?? ""))) if (hint) context.warn(hint);
    return exitOf(proven.map(({ proof }) => proof));
  },
});

function stateOf({ problem, hindrance, txid }: Proof): keyof typeof MARK {
  if (hindrance !== null) return "untried";
  if (problem !== null) return "failed";
  return txid === null ? "none" : "ok";
}

/** 1 where something is wrong with a database; where some could not be tried, what was in the way, which has a higher number. */
function exitOf(proofs: readonly Proof[]): number {
  const failed = proofs.some(({ problem }) => problem !== null) ? EXIT.refused : EXIT.ok;
  return proofs.reduce<number>((worst, { hindrance }) => Math.max(worst, hindrance?.exit ?? 0), failed);
}

async function print(context: Context, proven: readonly Proven[]): Promise<void> {
  await printRows<Proven>(context, proven, {
    columns: [
      {
        header: "",
        value: ({ proof }) => stateOf(proof),
        show: ({ proof }, style) => style[STYLE[stateOf(proof)]](MARK[stateOf(proof)]),
      },
      { header: "NAME", value: ({ proof }) => proof.name },
      {
        header: "TXID",
        value: ({ proof: { txid } }) => (txid === null ? "" : hexTxid(txid)),
        show: ({ proof: { txid } }) => txid?.toString(16) ?? "",
        expendable: 3,
      },
      {
        header: "AGE",
        value: ({ proof }) => `${ageOf(proof) ?? ""}`,
        show: ({ proof }) => spanOf(ageOf(proof)),
        right: true,
      },
      {
        header: "BYTES",
        value: ({ proof: { size } }) => `${size ?? ""}`,
        show: ({ proof: { size } }) => size?.toLocaleString("en") ?? "",
        right: true,
        expendable: 1,
      },
      { header: "TABLES", value: ({ proof }) => `${proof.tables.length}`, right: true, expendable: 4 },
      { header: "ROWS", value: ({ proof }) => `${rowsIn(proof)}`, show: rowsShown, right: true, expendable: 2 },
      {
        header: "ALSO AS OF",
        value: ({ proof: { sample } }) => (sample?.time ? toIso(sample.time) : ""),
        show: ({ proof: { at, sample } }) => (sample?.time ? `${span(at - sample.time)} ago` : ""),
      },
      { header: "MS", value: ({ proof: { took } }) => took.toFixed(0), right: true, expendable: 5 },
      { header: "WHY", value: ({ proof }) => whyOf(proof) ?? "", optional: true, flexible: true, wraps: true },
    ],
    json: toJson,
  });
}

/** A transaction may be newer than the beginning of its proof. */
function ageOf({ at, time }: Proof): Millis | null {
  return time === null ? null : Math.max(0, at - time);
}

function spanOf(length: Millis | null): string {
  return length === null ? "" : span(length);
}

function whyOf({ problem, hindrance }: Proof): string | null {
  return problem ?? hindrance?.message ?? null;
}

function rowsShown({ proof, before }: Proven): string {
  const rows = rowsIn(proof);
  const more = before ? rows - rowsIn(before) : 0;
  return `${rows.toLocaleString("en")}${more === 0 ? "" : ` (${more > 0 ? "+" : ""}${more.toLocaleString("en")})`}`;
}

function toJson({ proof, before }: Proven): Readonly<Record<string, unknown>> {
  const { name, at, epoch, txid, time, size, beat, sample, took } = proof;
  return {
    ...{ state: stateOf(proof), name, at: toIso(at), epoch, txid: txid === null ? null : hexTxid(txid) },
    time: time === null ? null : toIso(time),
    age_ms: ageOf(proof),
    size,
    tables: Object.fromEntries(proof.tables.map((table) => [table.name, table.rows])),
    rows: rowsIn(proof),
    rows_before: before && rowsIn(before),
    heartbeat: beat && { ...beat, at: toIso(beat.at) },
    sample: sample && {
      at: toIso(sample.at),
      txid: sample.txid === null ? null : hexTxid(sample.txid),
      time: sample.time === null ? null : toIso(sample.time),
      problem: sample.problem,
    },
    problem: whyOf(proof),
    took_ms: Math.round(took),
  };
}
