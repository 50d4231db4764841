import { LtxDamage } from "./damage.ts";
import { unpackBlock } from "./lz4.ts";

const MAGIC = 0x184d2204;
const RAW = 0x80000000;

/** What the first Litestream 0.5 releases wrote around each page, before pages had a size in front. */
export interface Frame {
  /** Bytes of the frame. */
  readonly length: number;
  /** Bytes that were unpacked. */
  readonly unpacked: number;
}

/**
 * Unpacks an LZ4 frame of independent blocks into `to` (lz4_Frame_format.md of the LZ4 project). Its own checksums are
 * skipped: the LTX file's covers the pages. @returns null when it goes on past the end of `from`. Throws `LtxDamage`.
 */
export function unpackFrame(from: Uint8Array, to: Uint8Array): Frame | null {
  if (from.length < 7) return null;
  const view = new DataView(from.buffer, from.byteOffset, from.length);
  const { start, blockSum, contentSum } = readDescriptor(view);
  let unpacked = 0;
  for (let at = start; at + 4 <= from.length; ) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return at + contentSum > from.length ? null : { length: at + contentSum, unpacked };
    const length = size & ~RAW;
    if (length > to.length * 2 + 64) throw tooLong();
    if (at + length + blockSum > from.length) return null;
    unpacked += put(from.subarray(at, at + length), to.subarray(unpacked), size >= RAW);
    at += length + blockSum;
  }
  return null;
}

/** Where the blocks begin, and how many bytes of checksum follow a block and the whole. */
function readDescriptor(view: DataView): { start: number; blockSum: number; contentSum: number } {
  if (view.getUint32(0, true) !== MAGIC) throw new LtxDamage("damaged", "a page is not packed as LZ4");
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) throw new LtxDamage("damaged", "an LZ4 frame is of an unknown version");
  return {
    start: 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0),
    blockSum: flags & 16 ? 4 : 0,
    contentSum: flags & 4 ? 4 : 0,
  };
}

function tooLong(): LtxDamage {
  return new LtxDamage("damaged", "a page is longer than its size");
}

function put(block: Uint8Array, to: Uint8Array, raw: boolean): number {
  if (!raw) return unpackBlock(block, to);
  if (block.length > to.length) throw tooLong();
  to.set(block);
  return block.length;
}
