import type { Frame } from "./frame.ts";

/** Bounds of what is kept in memory. `bytes` are of JSON: it takes about three times as much. */
export interface RingLimits {
  readonly events: number;
  readonly bytes: number;
}

/** Dropped places at the front before the array is moved together. */
const SLACK = 1024;

/** The newest events, without a hole between the oldest kept and the newest. */
export class Ring {
  readonly #limits: RingLimits;
  #frames: (Frame | undefined)[] = [];
  /** Places at the front that are dropped already. */
  #start = 0;
  #bytes = 0;
  #next = 1;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** The newest number that was put in, or from which it began. */
  get head(): number {
    return this.#next - 1;
  }

  get size(): number {
    return this.#frames.length - this.#start;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Empty, and complete from after `head`. */
  reset(head: number): void {
    this.#frames = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#next = head + 1;
  }

  /** Takes the events that follow. Where the journal itself has a hole it begins anew behind it: readers before it must look themselves. */
  append(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.seq !== this.#next) this.reset(frame.seq - 1);
      this.#frames.push(frame);
      this.#bytes += frame.bytes;
      this.#next = frame.seq + 1;
    }
    this.#trim();
  }

  /** True when every event after `seq` up to the head is here. */
  covers(seq: number): boolean {
    return seq >= this.#next - 1 - this.size;
  }

  /** What follows `seq`, at least one event and little more than `bytes` at a time; null when some of that is not here any more. */
  after(seq: number, bytes: number): Frame[] | null {
    if (!this.covers(seq)) return null;
    const found: Frame[] = [];
    let sum = 0;
    for (let at = this.#frames.length - (this.head - seq); at < this.#frames.length && sum < bytes; at += 1) {
      const frame = this.#frames[at];
      if (!frame) break;
      found.push(frame);
      sum += frame.bytes;
    }
    return found;
  }

  #trim(): void {
    const { events, bytes } = this.#limits;
    while (this.size > 1 && (this.size > events || this.#bytes > bytes)) {
      this.#bytes -= this.#frames[this.#start]?.bytes ?? 0;
      this.#frames[this.#start] = undefined;
      this.#start += 1;
    }
    if (this.#start < SLACK) return;
    this.#frames = this.#frames.slice(this.#start);
    this.#start = 0;
  }
}
