import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";

/** How often the journal's end is looked at while somebody waits: what hints do not tell is found so. */
const POLL: Millis = 1000;

/**
 * Knows that something was written: by this process at once, by another through its hint or, without one, by looking. Nothing
 * but the speed of `changed` hangs on hints.
 */
export class Changes {
  readonly #look: () => Promise<number>;
  readonly #tell: (seq: number | null) => void;
  /** The journal's end as far as it is known, and as it was when `changed` last returned. */
  #known = 0;
  #told = 0;
  /** Something was written whose number is not known. */
  #dirty = false;
  #wake: (() => void) | undefined;
  #woken: Promise<void> | undefined;

  /**
   * @param look reads the journal's end.
   * @param tell hints to other processes.
   */
  constructor(look: () => Promise<number>, tell: (seq: number | null) => void) {
    this.#look = look;
    this.#tell = tell;
  }

  /** This process has written. @param seq the journal's new end, where it is known. */
  wrote(seq: number | null): void {
    this.#tell(seq);
    this.heard(seq);
  }

  /** Another process says that it has written, or may have. */
  heard(seq: number | null): void {
    if (seq === null) this.#dirty = true;
    else this.#known = Math.max(this.#known, seq);
    if (seq === null || this.#known > this.#told) this.#wake?.();
  }

  /** Resolves when something may have changed since the last call, or after `ms`. */
  async changed(ms: Millis): Promise<void> {
    const end = monotonic() + ms;
    for (;;) {
      if (this.#dirty || this.#known > this.#told) break;
      const left = end - monotonic();
      if (left <= 0) break;
      await this.#nextOr(Math.min(left, POLL));
      if (!this.#dirty && this.#known <= this.#told && monotonic() < end) this.heard(await this.#look());
    }
    this.#dirty = false;
    this.#told = this.#known;
  }

  async #nextOr(ms: Millis): Promise<void> {
    const timer = new AbortController();
    const timeout = sleep(ms, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([this.#next(), timeout]);
    timer.abort();
  }

  #next(): Promise<void> {
    this.#woken ??= new Promise((resolve) => {
      this.#wake = () => {
        this.#woken = undefined;
        this.#wake = undefined;
        resolve();
      };
    });
    return this.#woken;
  }
}
