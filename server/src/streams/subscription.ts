import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@alai/core";
import { backoff } from "./backoff.ts";
import type { End, Frame } from "./frame.ts";
import type { Page } from "./pages.ts";

/** Where a reader is, and what it wants. */
export interface Position {
  /** The last number it has seen. */
  readonly after: number;
  readonly task?: number | undefined;
}

/** Where events go: a response, a socket, a waiting request. */
export interface Sink {
  /** Takes events in order. False: it has enough; the subscription goes on at `resume()`. */
  take(frames: readonly Frame[]): boolean;
  /** Nothing follows. */
  end(why: End): void;
}

/** What a subscription needs of its feed. */
export interface Source {
  /** What follows, when that is in memory; empty at the head, null when it is behind. Undefined while nothing is known yet. */
  recent(after: number, bytes: number): readonly Frame[] | null | undefined;
  page(after: number, task: number | undefined): Promise<Page>;
  left(subscription: Subscription): void;
}

/** Handed to a sink at a time: a fast reader is not interrupted, a slow one holds little. */
const PIECE = 64 * 1024;

/**
 * One reader's way along the journal. It pulls: from memory at the head, from the ledger when it is behind, and only while its
 * sink takes more. So a slow reader costs a number, not a buffer, and joins the others without a gap or a double.
 */
export class Subscription {
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #task: number | undefined;
  #after: number;
  /** Read from the ledger and not yet handed on. */
  #ahead: readonly Frame[] = [];
  /** Where the reader is once `#ahead` is handed on. */
  #through: number;
  #state: "ready" | "reading" | "full" | "ended" = "ready";

  constructor(source: Source, { after, task }: Position, sink: Sink) {
    this.#source = source;
    this.#sink = sink;
    this.#task = task;
    this.#after = after;
    this.#through = after;
  }

  get after(): number {
    return this.#after;
  }

  /** There may be news. */
  wake(): void {
    while (this.#state === "ready" && this.#step());
  }

  /** The sink has room again. */
  resume(): void {
    if (this.#state !== "full") return;
    this.#state = "ready";
    this.wake();
  }

  /** Ends it from the server's side. */
  end(why: End): void {
    if (this.#stop()) this.#sink.end(why);
  }

  /** The reader has gone. */
  cancel(): void {
    this.#stop();
  }

  #stop(): boolean {
    if (this.#state === "ended") return false;
    this.#state = "ended";
    this.#ahead = [];
    this.#source.left(this);
    return true;
  }

  /** Hands on the next piece. False: there is none now. */
  #step(): boolean {
    if (this.#ahead.length > 0) return this.#handOn();
    this.#after = Math.max(this.#after, this.#through);
    const recent = this.#source.recent(this.#after, PIECE);
    if (recent === undefined) return false;
    if (recent === null) {
      this.#state = "reading";
      void this.#readPage();
      return false;
    }
    const last = recent.at(-1);
    if (!last) return false;
    this.#through = last.seq;
    this.#ahead = this.#task === undefined ? recent : recent.filter(({ task }) => task === this.#task);
    return true;
  }

  #handOn(): boolean {
    let bytes = 0;
    let count = 0;
    while (count < this.#ahead.length && bytes < PIECE) bytes += this.#ahead[count++]?.bytes ?? 0;
    const piece = this.#ahead.slice(0, count);
    this.#ahead = this.#ahead.slice(count);
    this.#after = piece.at(-1)?.seq ?? this.#after;
    if (!this.#sink.take(piece) && this.#state === "ready") this.#state = "full";
    return this.#state === "ready";
  }

  /** Reads what is not in memory any more; through an outage of the store it waits. */
  async #readPage(): Promise<void> {
    for (let failures = 0; this.#state === "reading"; failures += 1) {
      try {
        const page = await this.#source.page(this.#after, this.#task);
        if (this.#state !== "reading") return;
        this.#state = "ready";
        return this.#turnTo(page);
      } catch (error) {
        if (error instanceof Refusal) return this.end({ type: "gap", error });
        await sleep(backoff(failures), undefined, { ref: false });
      }
    }
  }

  #turnTo({ frames, through }: Page): void {
    const first = frames[0];
    const whole = this.#task !== undefined ? frames : frames.filter(({ seq }, i) => seq === this.#after + 1 + i);
    if (first && whole.length === 0) {
      this.end(hole(this.#after, first.seq));
      return;
    }
    this.#ahead = whole;
    // Up to a hole only: the next page begins at it, and tells.
    this.#through = whole.length === frames.length ? through : this.#after;
    this.wake();
  }
}

/** The ledger's numbers have no gap; where one shows, the reader must not go on as if nothing were missing. */
function hole(after: number, next: number): End {
  const error = new Refusal("pruned", `The journal goes on from ${after} at ${next}; what is between is not kept.`, {
    hint: "Read the tasks anew, then follow the journal from its newest number.",
  });
  return { type: "gap", error };
}
