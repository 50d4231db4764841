import { LtxDamage } from "./damage.ts";

const SHORTEST_MATCH = 4;
/** A length that goes on in the bytes that follow. */
const LONG = 15;
/** Copying less than this byte by byte is faster than calling a method for it. */
const SHORT = 48;

/**
 * Unpacks one LZ4 block into `to`, from its beginning; no read or write goes past either array, whatever the block says.
 * Format: lz4_Block_format.md of the LZ4 project. @returns bytes written. Throws `LtxDamage`.
 */
export function unpackBlock(from: Uint8Array, to: Uint8Array): number {
  let at = 0;
  let out = 0;
  while (at < from.length) {
    const token = from[at++] as number;
    let literals = token >> 4;
    if (literals === LONG) {
      const more = lengthAt(from, at);
      at += bytesOf(more);
      literals += more;
    }
    copyLiterals(from, at, to, out, literals);
    at += literals;
    out += literals;
    if (at === from.length) return out;
    if (from.length - at < 2) throw broken("an offset is cut off");
    const offset = (from[at] as number) | ((from[at + 1] as number) << 8);
    at += 2;
    let length = (token & LONG) + SHORTEST_MATCH;
    if ((token & LONG) === LONG) {
      const more = lengthAt(from, at);
      at += bytesOf(more);
      length += more;
    }
    repeat(to, out, offset, length);
    out += length;
  }
  throw broken("it ends without literals");
}

/** The rest of a length: bytes are added up until one is not 255. */
function lengthAt(from: Uint8Array, start: number): number {
  let length = 0;
  for (let at = start; at < from.length; at += 1) {
    const more = from[at] as number;
    length += more;
    if (more !== 255) return length;
  }
  throw broken("a length is cut off");
}

/** How many bytes such a length took. */
function bytesOf(length: number): number {
  return Math.floor(length / 255) + 1;
}

function copyLiterals(from: Uint8Array, start: number, to: Uint8Array, out: number, length: number): void {
  if (length > from.length - start) throw broken("literals go past its end");
  if (length > to.length - out) throw broken("it is longer than a page");
  if (length >= SHORT) to.set(from.subarray(start, start + length), out);
  else for (let at = start, end = start + length, into = out; at < end; ) to[into++] = from[at++] as number;
}

/** Copies what was written `offset` bytes before; the two may overlap, so that what is copied repeats itself. */
function repeat(to: Uint8Array, out: number, offset: number, length: number): void {
  if (offset === 0 || offset > out) throw broken("an offset goes before its beginning");
  if (length > to.length - out) throw broken("it is longer than a page");
  if (offset >= length && length >= SHORT) {
    to.copyWithin(out, out - offset, out - offset + length);
  } else if (offset === 1) {
    to.fill(to[out - 1] as number, out, out + length);
  } else {
    for (let at = out, back = out - offset, end = out + length; at < end; ) to[at++] = to[back++] as number;
  }
}

function broken(what: string): LtxDamage {
  return new LtxDamage("damaged", `an LZ4 block is broken: ${what}`);
}
