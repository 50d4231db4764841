import { type Ledger, type LedgerEvent, type Millis, StoreError } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { backoff } from "../kit/http/backoff.ts";
import { orStop } from "./or-stop.ts";
import { within } from "./within.ts";

const LONGEST_PAUSE: Millis = 1000;
/** For one page: a server that hangs is noticed, and asked again, within seconds. */
const LONGEST_TRY: Millis = 5000;
/** Beyond what the server is asked to wait. */
const LATE_NEWS: Millis = 2000;
/** Events at once: a page comes in time over a slow line too. */
const PAGE = 1000;

export interface Follower {
  /** Only events of this task are handed on. */
  readonly task: number | undefined;
  readonly stop: AbortSignal;
  /** How long an outage may last; 0 where there is no server to wait for. */
  readonly patience: Millis;
  readonly hand: (events: readonly LedgerEvent[]) => void;
  /** Told once when the server is away, and once when it answers again. */
  readonly away: (error: StoreError) => void;
  readonly back: () => void;
}

/**
 * Hands on events after `seen` as they are committed, each once and in order, until `stop`; over an outage of the server it
 * goes on from the last one. Those of other tasks are read too: a reader that knew only its task's number would one day ask
 * for a part of the journal that is not kept any more. Throws what the last try threw when the patience is over.
 */
export async function followEvents(ledger: Ledger, seen: number, follower: Follower): Promise<void> {
  const { stop } = follower;
  const reader = new Reader(ledger, seen, follower);
  const listener = within(ledger, LATE_NEWS, 0);
  const outage = new Outage(follower);
  while (!stop.aborted) {
    const start = monotonic();
    try {
      const more = await orStop(reader.read(outage.left(start)), stop);
      outage.end();
      if (!more) await orStop(listener.changed(LONGEST_PAUSE), stop);
    } catch (error) {
      if (stop.aborted) return;
      if (!isOutage(error)) throw error;
      await outage.wait(error, start);
    }
  }
}

/** Remembers what was handed on. */
class Reader {
  readonly #ledger: Ledger;
  readonly #follower: Follower;
  #after: number;

  constructor(ledger: Ledger, after: number, follower: Follower) {
    this.#ledger = ledger;
    this.#after = after;
    this.#follower = follower;
  }

  /** Reads a page. @param limit milliseconds that this may take. @returns true when there may be more. */
  async read(limit: Millis): Promise<boolean> {
    const { task, stop, hand } = this.#follower;
    const ledger = within(this.#ledger, Math.min(LONGEST_TRY, limit), 0);
    const events = await ledger.events({ after: this.#after, limit: PAGE });
    if (stop.aborted) return false;
    hand(task === undefined ? events : events.filter((event) => event.task === task));
    this.#after = events.at(-1)?.seq ?? this.#after;
    return events.length === PAGE;
  }
}

/** The time in which the server does not answer, if it does not. */
class Outage {
  readonly #follower: Follower;
  /** When it is given up; null while all is well. */
  #end: Millis | null = null;
  #tries = 0;

  constructor(follower: Follower) {
    this.#follower = follower;
  }

  /** What the next try may take: enough for an answer, however little is left. */
  left(now: Millis): Millis {
    return this.#end === null ? this.#follower.patience : Math.max(LONGEST_PAUSE, this.#end - now);
  }

  /** Waits for the next try. Throws `error` when there shall be none. @param start when the try that failed was begun. */
  async wait(error: StoreError, start: Millis): Promise<void> {
    const { patience, stop, away } = this.#follower;
    const end = this.#end ?? start + patience;
    const rest = end - monotonic();
    if (rest <= 0) throw error;
    if (this.#end === null) away(error);
    this.#end = end;
    this.#tries += 1;
    await orStop(sleep(Math.min(rest, backoff(this.#tries))), stop).catch(() => {});
  }

  end(): void {
    if (this.#end !== null) this.#follower.back();
    this.#end = null;
    this.#tries = 0;
  }
}

function isOutage(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === "unavailable" || error.code === "locked");
}

function sleep(ms: Millis): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
