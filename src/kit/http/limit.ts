import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { timerLength } from "../timer.ts";
import { type FailureKind, NoAnswer } from "./failure.ts";

/** The end of one request: when its time is over, or when it is given up. */
export class Limit {
  /** Why it ended; null while it has not. */
  why: NoAnswer | null = null;
  readonly #length: Millis;
  readonly #controller = new AbortController();
  #end = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(length: Millis) {
    this.#length = length;
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left. */
  get left(): Millis {
    return this.why ? 0 : this.#end - monotonic();
  }

  /** From now on again. */
  restart(): void {
    this.stop();
    this.#end = monotonic() + this.#length;
    this.#timer = setTimeout(() => this.end("timeout"), timerLength(this.#length));
  }

  end(kind: Extract<FailureKind, "timeout" | "interrupted">): void {
    this.stop();
    this.why ??= new NoAnswer(kind, kind === "timeout" ? `no answer within ${this.#length} ms` : "given up", {
      maybeDone: true,
    });
    this.#controller.abort(this.why);
  }

  /** The clock stands still; without this a pending timer would keep the process here. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Waits, unless it ends before. */
  sleep(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timerLength(ms));
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.signal.addEventListener("abort", done, { once: true });
      if (this.why) done();
    });
  }
}
