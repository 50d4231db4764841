import type { Millis } from "@alai/core";
import type { Blob } from "../storage/storage.ts";

/**
 * One file of a replica: the changes of the transactions `min` to `max`, or, on level 9, a whole database at `max`.
 * Litestream 0.5 keeps them as `<replica path>/ltx/<level>/<min>-<max>.ltx`, TXIDs as 16 hexadecimal digits
 * (measured with 0.5.17). A TXID counts sync batches, not transactions of SQLite.
 */
export interface LtxFile {
  readonly key: string;
  /** 0 as synced, 1 to 8 compacted, 9 snapshots. */
  readonly level: number;
  readonly min: number;
  readonly max: number;
  readonly size: number;
  /** When its newest transaction was synced; the time of upload where storage does not say. */
  readonly time: Millis;
}

export const SNAPSHOT_LEVEL = 9;

const NAME = /^(.+)\/ltx\/(\d)\/([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/;

/** Sorts a flat listing of one epoch by replica. @param prefix as it was listed, `e1/`. @returns replica's name → its files. */
export function filesByReplica(blobs: readonly Blob[], prefix: string): ReadonlyMap<string, readonly LtxFile[]> {
  const replicas = new Map<string, LtxFile[]>();
  for (const blob of blobs) {
    const match = NAME.exec(blob.key);
    if (!match?.[1]?.startsWith(prefix)) continue;
    const replica = match[1].slice(prefix.length);
    const file = { key: blob.key, size: blob.size, time: blob.stamp ?? blob.modified, ...numbers(match) };
    const files = replicas.get(replica);
    if (files) files.push(file);
    else replicas.set(replica, [file]);
  }
  return replicas;
}

function numbers(match: RegExpExecArray): { level: number; min: number; max: number } {
  return {
    level: Number(match[2]),
    min: Number.parseInt(match[3] ?? "", 16),
    max: Number.parseInt(match[4] ?? "", 16),
  };
}

/** The newest TXID over all levels: how far a replica has come. 0 when there is none. */
export function newestTxid(files: readonly LtxFile[]): number {
  return files.reduce((newest, { max }) => Math.max(newest, max), 0);
}

/** A TXID as Litestream writes it. */
export function hexTxid(txid: number): string {
  return txid.toString(16).padStart(16, "0");
}
