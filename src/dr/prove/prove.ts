import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Millis, toIso } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { toFailure } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { Checker } from "../copy/check.ts";
import type { LtxFile } from "../ltx/name.ts";
import { reachable } from "../ltx/plan.ts";
import type { Database } from "../manifest/model.ts";
import type { Beat } from "../report.ts";
import type { ReplicaListing, Replicas } from "../restore/listing.ts";
import type { Replica } from "../restore/replicas.ts";
import { type Restored, restoreDatabase } from "../restore/restore.ts";
import { isNoRoom } from "../restore/room.ts";
import { chooseTarget, type Wish } from "../restore/target.ts";
import type { Storage } from "../storage/storage.ts";
import { type Proof, type Sample, serviceRows, serviceTables } from "./proof.ts";

export interface ProveOptions {
  readonly storage: Storage;
  readonly listing: ReplicaListing;
  /** The one that is proven: what another one has is no proof of it. */
  readonly epoch: number;
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
 * was at an earlier moment. @param before the last good proof of this epoch. Throws nothing but bugs: what fails is in the proof.
 */
export async function prove(database: Database, before: Proof | null, options: ProveOptions): Promise<Proof> {
  const { clock, epoch, listing } = options;
  const { name, optional } = database;
  const began = monotonic();
  const nothing = { txid: null, time: null, size: null, tables: [], beat: null, sample: null };
  const base: Omit<Proof, "took"> = { name, at: clock(), epoch, problem: null, hindrance: null, ...nothing };
  const ended = (more: Partial<Proof>): Proof => ({ ...base, ...more, took: monotonic() - began });
  try {
    const replicas = await listing.replicas;
    if (!replicaOf(name, replicas, epoch)) return ended({ problem: optional ? null : notThere(name, replicas, epoch) });
    const { txid, time, size, checked } = await restore(name, () => ({}), options, options.mode);
    const { beat, tables } = checked;
    const whole = { txid, time, size, tables, beat };
    const sample = await trySample(name, options);
    const problem = wentBack(whole, before) ?? cameToNothing(whole, before) ?? sample?.problem ?? null;
    return ended({ ...whole, sample, problem });
  } catch (error) {
    const { exit, message, hint = null } = toFailure(error);
    if (exit === EXIT.interrupted) throw error;
    return ended(
      NO_ANSWER.has(exit) ? { hindrance: { exit, message, hint, isNoRoom: isNoRoom(error) } } : { problem: message },
    );
  }
}

/** What a restore ends with where nothing was learned about the database: an outage, a full disk, credentials that ran out. */
const NO_ANSWER: ReadonlySet<number> = new Set([EXIT.unavailable, EXIT.signIn]);

function replicaOf(name: string, replicas: Replicas, epoch: number): Replica | undefined {
  return replicas.get(name)?.find((replica) => replica.epoch === epoch);
}

/** @param wish what of the files that are listed then. */
async function restore(
  name: string,
  wish: (files: readonly LtxFile[]) => Wish,
  { storage, listing, epoch, checker, scratch }: ProveOptions,
  mode: "quick" | "full",
): Promise<Restored> {
  const out = join(scratch, `${name}.db`);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    return await listing.use((replicas) => {
      const files = replicaOf(name, replicas, epoch)?.files ?? [];
      const target = chooseTarget(name, files, wish(files));
      return restoreDatabase({ name, storage, target, out, checker, check: { mode, countRows: true } });
    });
  } finally {
    rmSync(out, { force: true });
  }
}

/** Somewhere between the oldest moment there is and the newest; null: there is one alone. */
async function trySample(name: string, options: ProveOptions): Promise<Sample | null> {
  const part = options.random();
  let at = momentIn(replicaOf(name, await options.listing.replicas, options.epoch)?.files ?? [], part);
  if (at === null) return null;
  const again = (files: readonly LtxFile[]): Wish => {
    // In a new listing the one that was chosen may have gone with the oldest files.
    at = momentIn(files, part) ?? at;
    return { at: at ?? undefined };
  };
  try {
    const { txid, time } = await restore(name, again, options, "quick");
    const problem = time > at ? "A restore to an earlier moment gave a later one." : null;
    return { at, txid, time, problem };
  } catch (error) {
    const { exit, message } = toFailure(error);
    if (exit === EXIT.interrupted || NO_ANSWER.has(exit)) throw error;
    return { at, txid: null, time: null, problem: `An earlier moment could not be restored. ${message}` };
  }
}

/** @param part 0 to below 1: how far from the oldest to the newest. */
function momentIn(files: readonly LtxFile[], part: number): Millis | null {
  const moments = reachable(files).map(({ time }) => time);
  const [first, last] = [Math.min(...moments.slice(0, 1)), Math.max(...moments.slice(-1))];
  return last > first ? Math.floor(first + part * (last - first)) : null;
}

/** An earlier epoch's replica proves nothing of this one, and is not taken in its place. */
function notThere(name: string, replicas: Replicas, epoch: number): string {
  const [other] = replicas.get(name) ?? [];
  return other
    ? `Storage has nothing of it in epoch ${epoch}, only in epoch ${other.epoch}: --epoch ${other.epoch} proves that.`
    : "Storage has nothing of it.";
}

/**
 * Storage that gives an older database than the last time has lost something, however sound that one is. Where the heartbeat went
 * on, lower numbers are a replica that was begun anew, and newer data.
 */
function wentBack({ beat, txid }: Pick<Proof, "beat" | "txid">, before: Proof | null): string | null {
  if (!before) return null;
  const since = `since ${toIso(before.at)}, when it was last proven`;
  const order = before.beat === null ? 0 : compare(beat, before.beat);
  const back = (before.txid ?? 0) - (txid ?? 0);
  if (back > 0 && order <= 0)
    return `Storage went back by ${back} transaction${back === 1 ? "" : "s"} ${since}: it has ${txid}, where there was ${before.txid}.`;
  if (order >= 0) return null;
  return `The database went back ${since}: its heartbeat is ${named(beat)}, where there was ${named(before.beat)}.`;
}

/** Fewer are deleted in the course of things: a queue is done with. */
const MANY_ROWS = 10;

/** A database that was lost and made anew by its service, or by Litestream, is sound and has nothing in it. */
function cameToNothing(now: Pick<Proof, "tables">, before: Proof | null): string | null {
  if (!before) return null;
  const [rows, tables] = [serviceRows(before), serviceTables(before).length];
  const had = `at ${toIso(before.at)}, when it was last proven, it had ${count(rows, "row")} in ${count(tables, "table")}`;
  if (tables > 0 && serviceTables(now).length === 0) return `No table of a service's is left in the database: ${had}.`;
  if (rows >= MANY_ROWS && serviceRows(now) === 0) return `No row is left in the database: ${had}.`;
  return null;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** Below 0: `one` is the older heartbeat, or there is none. */
function compare(one: Beat | null, other: Beat): number {
  return one === null ? -1 : one.epoch - other.epoch || one.seq - other.seq;
}

function named(beat: Beat | null): string {
  return beat === null ? "none" : `${beat.seq} of epoch ${beat.epoch}`;
}
