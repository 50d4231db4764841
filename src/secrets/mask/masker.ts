import type { Needle } from "./forms.ts";
import { type Block, blocksOf, isBase64, placeOf, runBefore } from "./lines.ts";
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
  /** For what is broken into lines. */
  readonly #coded: Search;
  #carry: Buffer = NOTHING;
  /** How much of `#carry` belongs to a mask that is out already; -1 when the last that went out was no mask. */
  #covered = -1;
  /** The byte that comes next belongs to that mask if it is one of base64. */
  #spills = false;
  /** Characters of base64 right before `#carry`. */
  #behind = 0;

  constructor(needles: readonly Needle[]) {
    this.#search = new Search(needles);
    this.#coded = new Search(needles.filter(({ coded }) => coded));
  }

  /** @returns what can go out now; parts of `chunk` itself where it was not changed. */
  push(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return [];
    if (this.#spills && this.#covered === this.#carry.length && isBase64(chunk[0])) this.#covered += 1;
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const blocks = blocksOf(data, this.#behind);
    return this.#emit(data, blocks, Math.min(this.#search.unfinished(data), this.#unfinished(data, blocks)));
  }

  /** The stream is over: what was kept back goes out. */
  end(): Buffer[] {
    return this.#emit(this.#carry, blocksOf(this.#carry, this.#behind), this.#carry.length);
  }

  /** Everything before `limit` is decided. */
  #emit(data: Buffer, blocks: readonly Block[], limit: number): Buffer[] {
    const out: Buffer[] = [];
    let at = Math.max(0, this.#covered);
    let isMask = this.#covered >= 0;
    for (const { start, end } of this.#hidden(data, blocks)) {
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
    this.#behind = runBefore(data, limit, this.#behind);
    // What is kept is copied: the caller uses the memory of the chunk again.
    this.#carry = limit < data.length ? Buffer.from(data.subarray(limit)) : NOTHING;
    return out;
  }

  /** The first place from which on base64 in lines may be the beginning of a secret, or the last that one spills into. */
  #unfinished(data: Buffer, blocks: readonly Block[]): number {
    const block = blocks.at(-1);
    if (!block?.open) return data.length;
    const { text } = block;
    const tail = Math.max(0, text.length - this.#coded.longest);
    let first = this.#coded.unfinished(text);
    this.#coded.each(text.subarray(tail), (start, end, { right }) => {
      if (right && tail + end === text.length) first = Math.min(first, tail + start);
    });
    return first === text.length ? data.length : placeOf(block, first);
  }

  /** What must not be seen in `data`: pieces that neither overlap nor touch, in order. */
  #hidden(data: Buffer, blocks: readonly Block[]): Piece[] {
    const found: Piece[] = [];
    this.#spills = false;
    this.#search.each(data, (start, end, { right }) => {
      if (right && end === data.length) this.#spills = true;
      found.push({ start, end: right && isBase64(data[end]) ? end + 1 : end });
    });
    const inOrder = found.length;
    for (const block of blocks) this.#broken(data, block, found);
    return joined(found.length === inOrder ? found : found.sort((one, other) => one.start - other.start));
  }

  /** The same in lines of base64; what is between them belongs to the secret. */
  #broken(data: Buffer, block: Block, found: Piece[]): void {
    this.#coded.each(block.text, (start, end, { right }) => {
      const wide = right && end < block.text.length ? end + 1 : end;
      const piece = { start: placeOf(block, start), end: placeOf(block, wide - 1) + 1 };
      if (right && wide === end && piece.end === data.length) this.#spills = true;
      found.push(piece);
    });
  }
}

function joined(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const { start, end } of pieces) {
    const last = whole.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else whole.push({ start, end });
  }
  return whole;
}

interface Piece {
  readonly start: number;
  end: number;
}
