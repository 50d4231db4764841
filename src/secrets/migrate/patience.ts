import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** A refusal of bw or of its server, in bw's words. */
export class SideRefusal extends Error {}

const PASSING =
  /rate limit|too many|slow down|server error|internal error|bad gateway|unavailable|time(?:d )?-?out|fetch failed|network|socket|ECONN|EAI_AGAIN|ETIMEDOUT|EPIPE|\b(?:429|50[0234])\b/i;

/** True for what may be otherwise in a moment: a server that is busy, a line that broke. */
export function isPassing(error: unknown): boolean {
  if (error instanceof SideRefusal) return PASSING.test(error.message);
  return error instanceof Exit && error.code === "bw_silent";
}

const FIRST: Millis = 1000;
const LONGEST: Millis = 30_000;

/** Waits longer from time to time while nothing succeeds, and gives up after so long. */
export class Patience {
  readonly #limit: Millis;
  readonly #signal: AbortSignal;
  #since: Millis | null = null;
  #wait: Millis = FIRST;

  constructor(signal: AbortSignal, limit: Millis) {
    this.#signal = signal;
    this.#limit = limit;
  }

  /** Something succeeded. */
  rest(): void {
    this.#since = null;
    this.#wait = FIRST;
  }

  /** Something failed in passing. Throws Exit 69 with what was said last when that goes on for too long. */
  async wait(error: unknown): Promise<void> {
    if (this.#signal.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
    this.#since ??= monotonic();
    if (monotonic() - this.#since >= this.#limit) throw tooLong(error, this.#limit);
    await sleep(this.#wait * (0.75 + Math.random() / 2), undefined, { signal: this.#signal }).catch(() => {});
    this.#wait = Math.min(this.#wait * 2, LONGEST);
  }

  /** Does what may be done twice, until it succeeds; with a patience of its own. */
  async again<T>(work: () => Promise<T>): Promise<T> {
    const own = new Patience(this.#signal, this.#limit);
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        await own.wait(error);
      }
    }
  }
}

function tooLong(error: unknown, limit: Millis): Exit {
  const said = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
  return new Exit(
    EXIT.unavailable,
    "unreachable",
    `The server has refused for ${Math.round(limit / 60_000)} minutes: ${said}.`,
    "Type the same command again later: it goes on where it stopped, and adds nothing twice.",
  );
}
