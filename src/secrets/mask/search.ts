import type { Needle } from "./forms.ts";

/** Tables are indexed by a hash of three bytes. */
const HASHES = 65_536;

/**
 * Looks for all needles at once (Wu and Manber): three bytes at the end of a window as long as the shortest needle mostly say that
 * no needle is near, and the window moves on by nearly its length. 100 MB are looked at in about the time `cat` takes to give them.
 */
export class Search {
  readonly longest: number;
  readonly #shortest: number;
  /** How far the window may move on. */
  readonly #shifts: Uint8Array;
  /** Needles by the hash of the last three bytes of their beginning. */
  readonly #ending = new Map<number, Needle[]>();
  /** Needles by their first byte. */
  readonly #starting: readonly Needle[][];
  /** Hashes of three bytes with which a needle begins. */
  readonly #starts = new Uint8Array(HASHES);

  constructor(needles: readonly Needle[]) {
    const lengths = needles.map(({ bytes }) => bytes.length);
    this.longest = Math.max(0, ...lengths);
    this.#shortest = Math.min(255, ...lengths);
    this.#shifts = new Uint8Array(HASHES).fill(this.#shortest - 2);
    this.#starting = Array.from({ length: 256 }, () => []);
    for (const needle of needles) this.#learn(needle);
  }

  /** Calls back with where needles begin and end in `data`, in the order of their beginnings. */
  each(data: Uint8Array, found: (start: number, end: number, needle: Needle) => void): void {
    if (this.longest === 0) return;
    const shifts = this.#shifts;
    const last = this.#shortest - 1;
    for (let at = last; at < data.length; ) {
      const hash =
        (((data[at - 2] as number) << 10) ^ ((data[at - 1] as number) << 5) ^ (data[at] as number)) & (HASHES - 1);
      const shift = shifts[hash] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - last;
      for (const needle of this.#ending.get(hash) ?? []) {
        const { length } = needle.bytes;
        if (start + length <= data.length && isSame(data, start, needle.bytes, length))
          found(start, start + length, needle);
      }
      at += 1;
    }
  }

  /** The first place from which on `data` is the beginning of a needle that may go on behind it; its length when there is none. */
  unfinished(data: Uint8Array): number {
    for (let at = Math.max(0, data.length - this.longest + 1); at < data.length; at++) {
      const left = data.length - at;
      if (left >= 3 && this.#starts[hashAt(data, at)] === 0) continue;
      const begins = (this.#starting[data[at] as number] as Needle[]).some(
        ({ bytes }) => bytes.length > left && isSame(data, at, bytes, left),
      );
      if (begins) return at;
    }
    return data.length;
  }

  #learn(needle: Needle): void {
    const { bytes } = needle;
    const last = this.#shortest - 1;
    for (let at = 2; at <= last; at++) {
      const hash = hashAt(bytes, at - 2);
      this.#shifts[hash] = Math.min(this.#shifts[hash] as number, last - at);
    }
    const ending = hashAt(bytes, last - 2);
    this.#ending.set(ending, [...(this.#ending.get(ending) ?? []), needle]);
    this.#starts[hashAt(bytes, 0)] = 1;
    this.#starting[bytes[0] as number]?.push(needle);
  }
}

function hashAt(data: Uint8Array, at: number): number {
  return (((data[at] as number) << 10) ^ ((data[at + 1] as number) << 5) ^ (data[at + 2] as number)) & (HASHES - 1);
}

function isSame(data: Uint8Array, start: number, bytes: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at++) if (data[start + at] !== bytes[at]) return false;
  return true;
}
