import { closeSync, openSync, readSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { LtxHeader } from "../ltx/header.ts";
import type { Beat } from "../report.ts";

/** What SQLite made of a write-ahead log that it found. */
export interface Settled {
  /** Frames that it took for good; 0: there was no log, or a torn one. */
  readonly frames: number;
  readonly beat: Beat | null;
}

/**
 * Lets SQLite apply the log beside a working copy, and takes the log away. This is the one place where a working copy is opened;
 * nobody else has it open, so no shared memory is used and none is left behind. Throws what SQLite says of a broken copy.
 */
export function settle(path: string): Settled {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL");
    const log = db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() as { log: number; checkpointed: number };
    const done = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
    if (done.busy !== 0) throw new Error("another process has the working copy open");
    return { frames: Math.max(0, Math.min(log.log, log.checkpointed)), beat: beatIn(db) };
  } finally {
    db.close();
  }
}

/** Null where there is no such row. A broken copy is told from a missing table: it must not look like one. */
function beatIn(db: DatabaseSync): Beat | null {
  try {
    const row = db.prepare("SELECT epoch, seq, ts_ms FROM _alai_hb WHERE id = 1").get();
    return row ? { epoch: Number(row.epoch), seq: Number(row.seq), at: Number(row.ts_ms) } : null;
  } catch (error) {
    if (isBroken(error)) throw error;
    return null;
  }
}

/** True for what SQLite says of a file whose content makes no sense. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && /malformed|not a database|corrupt/i.test(error.message);
}

/** Page size, length and journal mode as a database file's first page and its length say; null: it is no database. */
export function shapeOf(path: string): (Pick<LtxHeader, "pageSize" | "commit"> & { readonly isWal: boolean }) | null {
  const head = new Uint8Array(100);
  const file = openSync(path, "r");
  try {
    if (readSync(file, head, 0, 100, 0) < 100) return null;
  } finally {
    closeSync(file);
  }
  if (Buffer.from(head.subarray(0, 15)).toString("latin1") !== "SQLite format 3") return null;
  const size = ((head[16] as number) << 8) | (head[17] as number);
  const pageSize = size === 1 ? 65_536 : size;
  return { pageSize, commit: statSync(path).size / pageSize, isWal: head[18] === 2 && head[19] === 2 };
}
