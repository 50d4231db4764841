import { isBase64, type Needle } from "./forms.ts";
import { Search } from "./search.ts";

/** Shorter than any secret that is masked, so that it never looks like one. */
export const MASK = Buffer.from("***");
const NOTHING = Buffer.alloc(0);

/**
 * Replaces what belongs to a secret in a stream of bytes. What comes out does not depend on how the stream is cut: only bytes
 * with which a secret may begin are kept back until it is known whether one does.
 */
export class Masker {
  readonly #search: Search;
  #carry: Buffer = NOTHING;
  /** How much of `#carry` belongs to a mask that is out already; -1 when the last that went out was no mask. */
  #covered = -1;
  /** The byte that comes next belongs to that mask if it is one of base64. */
  #spills = false;

  constructor(needles: readonly Needle[]) {
    this.#search = new Search(needles);
  }

  /** @returns what can go out now; parts of `chunk` itself where it was not changed. */
  push(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return [];
    if (this.#spills && this.#covered === this.#carry.length && isBase64(chunk[0])) this.#covered += 1;
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    return this.#emit(data, this.#search.unfinished(data));
  }

  /** The stream is over: what was kept back goes out. */
  end(): Buffer[] {
    return this.#emit(this.#carry, this.#carry.length);
  }

  /** Everything before `limit` is decided. */
  #emit(data: Buffer, limit: number): Buffer[] {
    const out: Buffer[] = [];
    let at = Math.max(0, this.#covered);
    let isMask = this.#covered >= 0;
    for (const { start, end } of this.#hidden(data)) {
      const goesOn = isMask && start <= at;
      if (!goesOn && start >= limit) break;
      if (start > at) out.push(data.subarray(at, start));
      if (!goesOn) out.push(MASK);
      isMask = true;
      at = Math.max(at, end);
    }
    if (at < limit) {
      out.push(data.subarray(at, limit));
      at = limit;
      isMask = false;
    }
    this.#covered = isMask ? at - limit : -1;
    // What is kept is copied: the caller uses the memory of the chunk again.
    this.#carry = limit < data.length ? Buffer.from(data.subarray(limit)) : NOTHING;
    return out;
  }

  /** What must not be seen in `data`: pieces that neither overlap nor touch, in order. */
  #hidden(data: Buffer): Piece[] {
    const pieces: Piece[] = [];
    this.#spills = false;
    this.#search.each(data, (start, end, { right }) => {
      if (right && end === data.length) this.#spills = true;
      const wide = right && isBase64(data[end]) ? end + 1 : end;
      const last = pieces.at(-1);
      if (last && start <= last.end) last.end = Math.max(last.end, wide);
      else pieces.push({ start, end: wide });
    });
    return pieces;
  }
}

interface Piece {
  start: number;
  end: number;
}
