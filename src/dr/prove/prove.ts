import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Checker } from "../copy/check.ts";
import { reachable } from "../ltx/plan.ts";
import type { Database } from "../manifest/model.ts";
import type { Replica } from "../restore/replicas.ts";
import { type Restored, restoreDatabase } from "../restore/restore.ts";
import { chooseTarget, type Wish } from "../restore/target.ts";
import type { Storage } from "../storage/storage.ts";
import type { Proof, Sample } from "./proof.ts";

export interface ProveOptions {
  readonly storage: Storage;
  readonly checker: Checker;
  /** A folder of this run's own: what is restored is removed at once. */
  readonly scratch: string;
  readonly mode: "quick" | "full";
  readonly clock: () => Millis;
  /** 0 to below 1: which earlier moment is tried. */
  readonly random: () => number;
}

/**
 * Restores a database from storage for real, twice: the newest, checked, with its rows counted and its heartbeat read, and as it
 * was at an earlier moment. @param before the last good proof. Throws nothing but bugs: what fails is in the proof.
 */
export async function prove(
  database: Database,
  replica: Replica | undefined,
  before: Proof | null,
  options: ProveOptions,
): Promise<Proof> {
  const at = options.clock();
  const began = monotonic();
  const nothing = { epoch: null, txid: null, time: null, size: null, tables: [], beat: null, sample: null };
  const base = { name: database.name, at, ...nothing };
  if (!replica)
    return {
      ...base,
      problem: database.optional ? null : "Storage has nothing of it.",
      took: monotonic() - began,
    };
  try {
    const { txid, time, size, checked } = await restore(database.name, replica, {}, options, options.mode);
    const { beat, tables } = checked;
    const whole = { ...base, epoch: replica.epoch, txid, time, size, tables, beat };
    const sample = await trySample(database.name, replica, options);
    const problem = wentBack(whole, before) ?? sample?.problem ?? null;
    return { ...whole, sample, problem, took: monotonic() - began };
  } catch (error) {
    return { ...base, epoch: replica.epoch, problem: sentence(error), took: monotonic() - began };
  }
}

async function restore(
  name: string,
  { files }: Replica,
  wish: Wish,
  { storage, checker, scratch }: ProveOptions,
  mode: "quick" | "full",
): Promise<Restored> {
  const out = join(scratch, `${name}.db`);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  rmSync(out, { force: true });
  try {
    const target = chooseTarget(name, files, wish);
    return await restoreDatabase({ name, storage, target, out, checker, check: { mode, countRows: true } });
  } finally {
    rmSync(out, { force: true });
  }
}

/** Somewhere between the oldest moment there is and the newest. */
async function trySample(name: string, replica: Replica, options: ProveOptions): Promise<Sample | null> {
  const moments = reachable(replica.files).map(({ time }) => time);
  const [first, last] = [Math.min(...moments.slice(0, 1)), Math.max(...moments.slice(-1))];
  if (!(last > first)) return null;
  const at = Math.floor(first + options.random() * (last - first));
  try {
    const { txid, time } = await restore(name, replica, { at }, options, "quick");
    const problem = time > at ? "A restore to an earlier moment gave a later one." : null;
    return { at, txid, time, problem };
  } catch (error) {
    return { at, txid: null, time: null, problem: `An earlier moment could not be restored. ${sentence(error)}` };
  }
}

/** Storage that gives an older database than yesterday has lost something, however sound that one is. */
function wentBack({ beat, epoch, txid }: Pick<Proof, "beat" | "epoch" | "txid">, before: Proof | null): string | null {
  if (!before || before.epoch !== epoch) return null;
  if (before.txid !== null && txid !== null && txid < before.txid)
    return `Storage went back: transaction ${txid}, where there was ${before.txid} at the last proof.`;
  if (before.beat && beat?.epoch === before.beat.epoch && beat.seq < before.beat.seq)
    return `Storage went back: heartbeat ${beat.seq}, where there was ${before.beat.seq} at the last proof.`;
  return null;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
