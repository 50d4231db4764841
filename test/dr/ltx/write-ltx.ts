import { lockPage } from "../../../src/dr/ltx/header.ts";

/** An LTX file to be made, as Litestream makes it. */
export interface LtxPlan {
  readonly pageSize?: number;
  readonly commit: number;
  readonly min?: number;
  readonly max?: number;
  readonly time?: number;
  readonly pages: readonly (readonly [number: number, data: Uint8Array])[];
  /** As the first releases packed pages: in frames, without a size in front. */
  readonly frames?: boolean;
}

/** Writes LTX files for tests, slowly and by the letter of the format: checksums by long division, pages packed by `pack`. */
export function writeLtx({ pageSize = 512, commit, min = 1, max = min, time = 1000, pages, frames = false }: LtxPlan) {
  const header = Buffer.alloc(100);
  header.write("LTX1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(pageSize, 8);
  header.writeUInt32BE(commit, 12);
  for (const [at, value] of [
    [16, min],
    [24, max],
    [32, time],
  ] as const)
    header.writeBigUInt64BE(BigInt(value), at);
  const file: Buffer[] = [header];
  const summed: Buffer[] = [header];
  const index: Buffer[] = [];
  let offset = header.length;
  for (const [number, data] of pages) {
    const head = Buffer.alloc(frames ? 6 : 10);
    head.writeUInt32BE(number);
    head.writeUInt16BE(frames ? 0 : 1, 4);
    const packed = frames ? frame(data) : pack(data);
    if (!frames) head.writeUInt32BE(packed.length, 6);
    file.push(head, packed);
    summed.push(head, Buffer.from(data));
    const size = head.length + packed.length;
    index.push(varint(number), varint(offset), varint(size));
    offset += size;
  }
  const entries = Buffer.concat([...index, varint(0)]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(entries.length));
  const end = [Buffer.alloc(6), entries, length, Buffer.alloc(8)];
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64BE(slowCrc(Buffer.concat([...summed, ...end])) | (1n << 63n));
  return Buffer.concat([...file, ...end, sum]);
}

/** CRC-64/GO-ISO, a bit at a time. */
export function slowCrc(bytes: Uint8Array): bigint {
  const all = (1n << 64n) - 1n;
  let crc = all;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0xd800000000000000n : crc >> 1n;
  }
  return crc ^ all;
}

/** LZ4, greedily: each run of four bytes that was there before becomes a match. */
export function pack(data: Uint8Array): Buffer {
  const out: number[] = [];
  const seen = new Map<string, number>();
  let from = 0;
  // A block ends with five literals at least, and no match begins in the last twelve bytes.
  for (let at = 0; at < data.length - 12; ) {
    const key = data.subarray(at, at + 4).join();
    const before = seen.get(key);
    seen.set(key, at);
    if (before === undefined || at - before > 65_535) {
      at += 1;
      continue;
    }
    let length = 4;
    while (at + length < data.length - 5 && data[before + length] === data[at + length]) length += 1;
    sequence(out, data.subarray(from, at), { offset: at - before, length });
    at += length;
    from = at;
  }
  sequence(out, data.subarray(from), null);
  return Buffer.from(out);
}

function sequence(out: number[], literals: Uint8Array, match: { offset: number; length: number } | null): void {
  const rest = match ? match.length - 4 : 0;
  out.push((Math.min(15, literals.length) << 4) | Math.min(15, rest));
  extend(out, literals.length);
  out.push(...literals);
  if (!match) return;
  out.push(match.offset & 255, match.offset >> 8);
  extend(out, rest);
}

function extend(out: number[], length: number): void {
  if (length < 15) return;
  let left = length - 15;
  for (; left >= 255; left -= 255) out.push(255);
  out.push(left);
}

function frame(data: Uint8Array): Buffer {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x64, 0x70, 0]);
  const packed = pack(data);
  const isShorter = packed.length < data.length;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(isShorter ? packed.length : (data.length | 0x80000000) >>> 0);
  return Buffer.concat([head, size, isShorter ? packed : data, Buffer.alloc(8)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}

/** A whole image's pages, each filled by `fill`. */
export function imageOf(commit: number, pageSize: number, fill: (page: number) => number): LtxPlan["pages"] {
  const numbers = Array.from({ length: commit }, (_, at) => at + 1).filter((page) => page !== lockPage(pageSize));
  return numbers.map((page) => [page, new Uint8Array(pageSize).fill(fill(page))] as const);
}
