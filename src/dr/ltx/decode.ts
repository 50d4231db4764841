import { Crc64 } from "./crc64.ts";
import { LtxDamage } from "./damage.ts";
import { HEADER_SIZE, type LtxHeader, lockPage, pagesOfImage, readHeader, TRAILER_SIZE } from "./header.ts";
import { unpackBlock } from "./lz4.ts";
import { unpackFrame } from "./lz4-frame.ts";
import type { LtxFile } from "./name.ts";

const PAGE_HEADER = 6;
const SIZE_FIELD = 4;
const HAS_SIZE = 1;
/** Bytes of an index entry at most: three numbers, seven bits a byte. */
const INDEX_ENTRY = 25;
/** Bytes taken at a time. LZ4 packs at most 255 to 1, so this bounds what a sink gets between two calls of `drain`. */
const BITE = 64 * 1024;

/** Takes what is in a file, in the order of pages. What it took is worth nothing until the whole file was found good. */
export interface LtxSink {
  header(header: LtxHeader): void | Promise<void>;
  /** @param data valid during this call only. */
  page(page: number, data: Uint8Array): void;
  /** Waited for after each piece of the file: a place to let writes end. */
  drain?(): Promise<void>;
}

/** A file that was read to its end and found good. */
export interface Decoded extends LtxHeader {
  /** Pages in it. */
  readonly pages: number;
  /** True when it holds every page of the database: nothing before it is needed. */
  readonly isWhole: boolean;
}

/**
 * Reads an LTX file piece by piece and verifies it: magic, sizes, order of pages, checksum, and that it is what its name says.
 * Memory: one piece and one page. Throws `LtxDamage`, and what `pieces` throws.
 */
export async function decodeLtx(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sink: LtxSink,
  file?: Pick<LtxFile, "key" | "min" | "max">,
): Promise<Decoded> {
  const decoder = new Decoder(sink);
  try {
    for await (const piece of pieces)
      for (let at = 0; at < piece.length; at += BITE) {
        await decoder.push(piece.subarray(at, at + BITE));
        await sink.drain?.();
      }
    const decoded = decoder.end();
    if (file && (decoded.min !== file.min || decoded.max !== file.max))
      throw new LtxDamage("foreign", `in it are the transactions ${decoded.min} to ${decoded.max}`);
    return decoded;
  } catch (error) {
    if (error instanceof LtxDamage && file) throw error.in(file.key);
    throw error;
  }
}

class Decoder {
  readonly #sink: LtxSink;
  readonly #crc = new Crc64();
  #rest: Uint8Array = new Uint8Array(0);
  #header: LtxHeader | null = null;
  #page = new Uint8Array(0);
  #last = 0;
  #pages = 0;
  #inTail = false;

  constructor(sink: LtxSink) {
    this.#sink = sink;
  }

  async push(piece: Uint8Array): Promise<void> {
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    if (!this.#header) {
      if (bytes.length < HEADER_SIZE) {
        this.#rest = bytes;
        return;
      }
      this.#header = readHeader(bytes);
      this.#page = new Uint8Array(this.#header.pageSize);
      this.#crc.update(bytes.subarray(0, HEADER_SIZE));
      bytes = bytes.subarray(HEADER_SIZE);
      await this.#sink.header(this.#header);
    }
    this.#rest = this.#pagesOf(bytes, this.#header);
  }

  /** @returns what is known of the whole file. Throws when it is not whole. */
  end(): Decoded {
    if (!this.#header || !this.#inTail) throw new LtxDamage("cut", "it ends too early");
    this.#checkTail(this.#rest);
    return { ...this.#header, pages: this.#pages, isWhole: this.#pages === pagesOfImage(this.#header) };
  }

  /** @returns the bytes that belong to what is not here as a whole yet; in the tail, all of it. */
  #pagesOf(bytes: Uint8Array, header: LtxHeader): Uint8Array {
    let at = 0;
    while (!this.#inTail && bytes.length - at >= PAGE_HEADER) {
      const number = uint32(bytes, at);
      const flags = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number);
      if (number === 0 && flags === 0) {
        this.#crc.update(bytes.subarray(at, at + PAGE_HEADER));
        this.#inTail = true;
        at += PAGE_HEADER;
        break;
      }
      this.#checkPage(number, flags, header);
      const length = flags & HAS_SIZE ? this.#block(bytes, at) : this.#frame(bytes, at);
      if (length === 0) break;
      at += length;
      this.#last = number;
      this.#pages += 1;
      this.#crc.update(this.#page);
      this.#sink.page(number, this.#page);
    }
    const rest = bytes.subarray(at);
    if (this.#inTail && rest.length > this.#pages * INDEX_ENTRY + 1 + 8 + TRAILER_SIZE)
      throw new LtxDamage("damaged", "it goes on after its end");
    return rest;
  }

  #checkPage(number: number, flags: number, { commit, pageSize }: LtxHeader): void {
    if ((flags & ~HAS_SIZE) !== 0) throw new LtxDamage("damaged", `a page has flags that are not known (${flags})`);
    if (number <= this.#last) throw new LtxDamage("damaged", `page ${number} comes after page ${this.#last}`);
    if (number > commit) throw new LtxDamage("damaged", `page ${number} is past the end of the database`);
    if (number === lockPage(pageSize)) throw new LtxDamage("damaged", "it has the page of the locks");
  }

  /** @returns bytes that the page took; 0 when not all of it is here. */
  #block(bytes: Uint8Array, start: number): number {
    const from = start + PAGE_HEADER + SIZE_FIELD;
    if (bytes.length < from) return 0;
    const size = uint32(bytes, start + PAGE_HEADER);
    const { length } = this.#page;
    if (size > length + Math.ceil(length / 255) + 16)
      throw new LtxDamage("damaged", `a page is packed in ${size} bytes`);
    if (bytes.length - from < size) return 0;
    this.#mustFill(unpackBlock(bytes.subarray(from, from + size), this.#page));
    this.#crc.update(bytes.subarray(start, from));
    return from - start + size;
  }

  #frame(bytes: Uint8Array, start: number): number {
    const from = start + PAGE_HEADER;
    const frame = unpackFrame(bytes.subarray(from), this.#page);
    if (!frame) return 0;
    this.#mustFill(frame.unpacked);
    this.#crc.update(bytes.subarray(start, from));
    return PAGE_HEADER + frame.length;
  }

  #mustFill(unpacked: number): void {
    if (unpacked !== this.#page.length)
      throw new LtxDamage("damaged", `a page has ${unpacked} bytes instead of ${this.#page.length}`);
  }

  /** The index of pages, its length in eight bytes, and the trailer, whose last eight bytes are the checksum of all before. */
  #checkTail(tail: Uint8Array): void {
    const index = tail.length - TRAILER_SIZE - 8;
    if (index < 1) throw new LtxDamage("cut", "it ends too early");
    const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
    this.#crc.update(tail.subarray(0, tail.length - 8));
    const { high, low } = this.#crc.sum;
    const sumAt = tail.length - 8;
    if (view.getUint32(sumAt) !== (high | 0x80000000) >>> 0 || view.getUint32(sumAt + 4) !== low)
      throw new LtxDamage("damaged", "its checksum does not match");
    if (view.getBigUint64(index) !== BigInt(index))
      throw new LtxDamage("damaged", "its index is not as long as it says");
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
