import { type Millis, StoreError } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { backoff } from "../kit/http/backoff.ts";
import type { NoAnswer } from "../kit/http.ts";
import { orStop } from "./or-stop.ts";

/** Long enough for a server that is restarted, or that wakes. */
export const OUTAGE: Millis = 60_000;
/** For one try: a server that hangs is noticed, and asked again, within seconds. */
const LONGEST_TRY: Millis = 5000;
/** However little is left: enough for an answer. */
const SHORTEST_TRY: Millis = 1000;

/** How an outage of the server is waited out. */
export interface Waiting {
  readonly stop: AbortSignal;
  /** How long an outage may last; 0 where there is no server to wait for. */
  readonly patience: Millis;
  /** The end of what is waited for, whatever an outage may last; by the monotonic clock. */
  readonly until?: Millis;
  /** Told once when the server is away, and for how long at most it is waited for; and once when it answers again. */
  readonly away: (error: StoreError, left: Millis) => void;
  readonly back: () => void;
}

/** The time in which the server does not answer, if it does not. */
export class Outage {
  readonly #waiting: Waiting;
  /** When it is given up; null while all is well. */
  #end: Millis | null = null;
  #tries = 0;

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
  }

  /** What the next try may take. */
  get limit(): Millis {
    const { patience, until = Number.POSITIVE_INFINITY } = this.#waiting;
    const end = Math.min(until, this.#end ?? Number.POSITIVE_INFINITY);
    return Math.min(LONGEST_TRY, Math.max(SHORTEST_TRY, end - monotonic()), Math.max(SHORTEST_TRY, patience));
  }

  /** Waits for the next try. Throws `error` when it is none of an outage, or there shall be none. @param start when the try that failed was begun. */
  async wait(error: unknown, start: Millis): Promise<void> {
    const { patience, until = Number.POSITIVE_INFINITY, stop, away } = this.#waiting;
    if (!isOutage(error)) throw error;
    const end = this.#end ?? Math.min(until, (wasSilent(error) ? start : monotonic()) + patience);
    const rest = end - monotonic();
    if (rest <= 0) throw error;
    if (this.#end === null) away(error, rest);
    this.#end = end;
    this.#tries += 1;
    await orStop(sleep(Math.min(rest, backoff(this.#tries))), stop).catch(() => {});
  }

  /** The server answered. */
  end(): void {
    if (this.#end !== null) this.#waiting.back();
    this.#end = null;
    this.#tries = 0;
  }
}

/** True for what a server that comes back would not say again. */
export function isOutage(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === "unavailable" || error.code === "locked");
}

/** A server that hangs was away from the start of the try; one that broke off only now. */
function wasSilent({ cause }: StoreError): boolean {
  return (cause as NoAnswer | undefined)?.kind === "timeout";
}

export function sleep(ms: Millis): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
