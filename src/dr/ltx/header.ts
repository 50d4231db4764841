import type { Millis } from "@alai/core";
import { LtxDamage } from "./damage.ts";

export const HEADER_SIZE = 100;
export const TRAILER_SIZE = 16;
const MAGIC = 0x4c545831;
const NO_CHECKSUM = 2;
const PENDING_BYTE = 0x40000000;

/** What the first 100 bytes of an LTX file say (superfly/ltx, format version 3). */
export interface LtxHeader {
  /** Bytes: a power of two from 512 to 65536. */
  readonly pageSize: number;
  /** The database's length in pages when this file is applied. */
  readonly commit: number;
  readonly min: number;
  readonly max: number;
  /** When its newest transaction was synced. */
  readonly time: Millis;
}

/** @param bytes at least `HEADER_SIZE`. Throws `LtxDamage`. */
export function readHeader(bytes: Uint8Array): LtxHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  if (view.getUint32(0) !== MAGIC) throw new LtxDamage("foreign", "it is no LTX file");
  const header = {
    pageSize: view.getUint32(8),
    commit: view.getUint32(12),
    min: bigNumber(view, 16),
    max: bigNumber(view, 24),
    time: bigNumber(view, 32),
  };
  const wrong = whatIsWrong(header, view.getUint32(4));
  if (wrong) throw new LtxDamage("damaged", wrong);
  return header;
}

/** The page that SQLite's locks are on: never part of an LTX file, zeros in a database. */
export function lockPage(pageSize: number): number {
  return PENDING_BYTE / pageSize + 1;
}

/** How many pages a whole image of a database has: all, save the one of the locks. */
export function pagesOfImage(header: Pick<LtxHeader, "pageSize" | "commit">): number {
  return header.commit - (header.commit >= lockPage(header.pageSize) ? 1 : 0);
}

function whatIsWrong({ pageSize, commit, min, max }: LtxHeader, flags: number): string | null {
  if ((flags & ~NO_CHECKSUM) !== 0) return `its header has flags that are not known (${flags})`;
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return `its page size is ${pageSize}`;
  if (commit === 0) return "it leaves no database";
  if (!(min >= 1 && max >= min)) return `its transactions are ${min} to ${max}`;
  return null;
}

/** 64 bits as a number; NaN, which no comparison holds for, where they are too many for one. */
function bigNumber(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at));
  return Number.isSafeInteger(value) ? value : Number.NaN;
}
