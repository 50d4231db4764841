import { constants, copyFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "@alai/core";
import { LtxDamage } from "../ltx/damage.ts";
import { type Decoded, decodeLtx, type LtxSink } from "../ltx/decode.ts";
import type { LtxHeader } from "../ltx/header.ts";
import type { LtxFile } from "../ltx/name.ts";
import { fetchInOrder } from "../restore/fetch.ts";
import type { Storage } from "../storage/storage.ts";
import { syncFolder } from "./durable.ts";
import { PageFile } from "./page-file.ts";
import { shapeOf } from "./settle.ts";
import { NotAsWal, WalFile } from "./wal-file.ts";

export interface Batch {
  /** The working copy. */
  readonly path: string;
  readonly storage: Storage;
  readonly files: readonly LtxFile[];
  readonly onStep: (step: string) => void;
  /** Lets SQLite apply the log beside the copy. @returns frames that it took. */
  readonly settle: () => number;
}

/**
 * Applies files, in their order, as one transaction: a crash at any moment leaves the copy as it was or as it will be.
 * @returns the time of the last one. Throws `LtxDamage`, `StorageError`, and what SQLite and the file system say.
 */
export async function applyBatch(batch: Batch): Promise<{ readonly time: Millis }> {
  const shape = shapeOf(batch.path);
  if (!shape) throw new Error("the working copy is not a database");
  try {
    return shape.isWal ? await applyAsLog(batch, shape) : await applyByRewriting(batch, shape);
  } catch (error) {
    if (error instanceof NotAsWal) return applyByRewriting(batch, shape);
    // Known only when all was read; the last file is the one that brought the database to its length.
    if (error instanceof LtxDamage) throw error.in(batch.files.at(-1)?.key ?? "");
    throw error;
  }
}

/** SQLite's own recovery does the work: what we write is a log as it would have written it. */
async function applyAsLog(batch: Batch, shape: Pick<LtxHeader, "pageSize" | "commit">): Promise<Decoded> {
  const { path, onStep } = batch;
  const aside = `${path}-wal.next`;
  const wal = await WalFile.create(aside, shape);
  let frames: number;
  let last: Decoded;
  try {
    onStep("log");
    last = await decodeAll(batch, wal);
    onStep("finish");
    frames = await wal.finish();
  } finally {
    await wal.close();
  }
  onStep("rename");
  renameSync(aside, `${path}-wal`);
  syncFolder(dirname(path));
  onStep("settle");
  const taken = batch.settle();
  if (taken !== frames)
    throw new Error(`the working copy is corrupt: its log has ${frames} frames, SQLite took ${taken}`);
  return last;
}

/** For a copy of another page size, or without a write-ahead log: a changed clone takes its place. */
async function applyByRewriting(batch: Batch, shape: Pick<LtxHeader, "pageSize" | "commit">): Promise<Decoded> {
  const { path, onStep } = batch;
  const aside = `${path}.rewrite`;
  onStep("clone aside");
  rmSync(aside, { force: true });
  copyFileSync(path, aside, constants.COPYFILE_FICLONE);
  const file = await PageFile.over(aside, shape);
  let last: Decoded;
  try {
    onStep("rewrite");
    last = await decodeAll(batch, file);
    await file.finish();
  } finally {
    await file.close();
  }
  onStep("rename");
  renameSync(aside, path);
  syncFolder(dirname(path));
  batch.settle();
  return last;
}

async function decodeAll({ storage, files }: Batch, sink: LtxSink): Promise<Decoded> {
  let last: Decoded | undefined;
  for await (const { file, pieces } of fetchInOrder(storage, files)) last = await decodeLtx(pieces, sink, file);
  if (!last) throw new TypeError("A batch has at least one file.");
  return last;
}
