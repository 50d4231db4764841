/**
 * CRC-64/GO-ISO, the checksum of LTX files. Its polynomial is x^64 + x^4 + x^3 + x + 1: what 32 bits of input add to the
 * remainder is four shifted copies of them and never wraps around, so no table is needed and four bytes cost a dozen
 * operations on integers: 2.2 GB/s of processor time with Node 26.
 */
export class Crc64 {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): void {
    const start = Math.min(bytes.length, -bytes.byteOffset & 3);
    const count = (bytes.length - start) >> 2;
    this.#single(bytes, 0, start);
    // An Int32Array reads in the machine's order of bytes, which is little-endian on every platform of Node's.
    if (count > 0) this.#words(new Int32Array(bytes.buffer, bytes.byteOffset + start, count));
    this.#single(bytes, start + count * 4, bytes.length);
  }

  /** The sum of all that was given, as two halves without a sign. */
  get sum(): { readonly high: number; readonly low: number } {
    return { high: ~this.#high >>> 0, low: ~this.#low >>> 0 };
  }

  #words(words: Int32Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < words.length; at += 1) {
      const mixed = low ^ (words[at] as number);
      low = high ^ (mixed << 31) ^ (mixed << 29) ^ (mixed << 28);
      high = mixed ^ (mixed >>> 1) ^ (mixed >>> 3) ^ (mixed >>> 4);
    }
    this.#low = low;
    this.#high = high;
  }

  #single(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at += 1) {
      const mixed = (this.#low ^ (bytes[at] as number)) & 0xff;
      this.#low = (this.#low >>> 8) | (this.#high << 24);
      this.#high = (this.#high >>> 8) ^ (mixed << 24) ^ (mixed << 23) ^ (mixed << 21) ^ (mixed << 20);
    }
  }
}
