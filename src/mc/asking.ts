import type { Ledger, Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { orStop } from "./or-stop.ts";
import { isOutage, Outage, type Waiting } from "./outage.ts";
import { within } from "./within.ts";

/** Beyond what the server is asked to wait. */
const LATE_NEWS: Millis = 2000;

/**
 * Asks a ledger the same until the answer is the wanted one. The first answer must come in the usual time, because a mistyped
 * address is no outage; after it an outage of the server is waited out.
 */
export class Asking {
  readonly #ledger: Ledger;
  readonly #listener: Ledger;
  readonly #stop: AbortSignal;
  readonly #outage: Outage;
  #answered = false;

  constructor(ledger: Ledger, waiting: Waiting) {
    this.#ledger = ledger;
    this.#listener = within(ledger, LATE_NEWS, 0);
    this.#stop = waiting.stop;
    this.#outage = new Outage(waiting);
  }

  /** @returns the answer; undefined when the server was away and is to be asked again. Throws what `verb` does. */
  async ask<T>(verb: (ledger: Ledger) => Promise<T>): Promise<T | undefined> {
    const start = monotonic();
    try {
      const found = await verb(this.#answered ? within(this.#ledger, this.#outage.limit, 0) : this.#ledger);
      this.#hear();
      return found;
    } catch (error) {
      if (isOutage(error)) {
        if (!this.#answered) throw error;
        await this.#outage.wait(error, start);
        return undefined;
      }
      // No is an answer too.
      this.#hear();
      throw error;
    }
  }

  /** Until the ledger may have changed, `ms` at most, or it is interrupted. */
  async pause(ms: Millis): Promise<void> {
    await orStop(this.#listener.changed(ms), this.#stop).catch((error) => {
      if (!this.#stop.aborted) throw error;
    });
  }

  #hear(): void {
    this.#answered = true;
    this.#outage.end();
  }
}

/** Asks until there is an answer, from the first try on over an outage. For what must not be given up lightly. */
export async function persist<T>(ledger: Ledger, verb: (ledger: Ledger) => Promise<T>, waiting: Waiting): Promise<T> {
  const outage = new Outage(waiting);
  for (;;) {
    const start = monotonic();
    try {
      const found = await verb(waiting.patience > 0 ? within(ledger, outage.limit, 0) : ledger);
      outage.end();
      return found;
    } catch (error) {
      if (waiting.stop.aborted) throw error;
      await outage.wait(error, start);
    }
  }
}
