import type { EventQuery, Ledger, LedgerEvent, Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { orStop } from "./or-stop.ts";
import { isOutage, Outage, sleep, type Waiting } from "./outage.ts";
import { within } from "./within.ts";

/** Between two looks at a file. */
const LONGEST_PAUSE: Millis = 1000;
/** A server is asked to wait so long: what lies between cuts connections that are silent for a minute. */
const LONGEST_POLL: Millis = 25_000;
/** Beyond what the server is asked to wait. */
const LATE_NEWS: Millis = 2000;
/** Before the next question to a server that did not wait (it is about to stop). */
const BREATH: Millis = 200;
/** Events at once: a page comes in time over a slow line too. */
const PAGE = 1000;

export interface Follower extends Waiting {
  /** Only events of this task are handed on. */
  readonly task: number | undefined;
  readonly hand: (events: readonly LedgerEvent[]) => void;
}

/**
 * Hands on events after `seen` as they are committed, each once and in order, until `stop`; over an outage of the server it
 * goes on from the last one. Those of other tasks are read too: a reader that knew only its task's number would one day ask
 * for a part of the journal that is not kept any more. Throws what the last try threw when the patience is over.
 */
export async function followEvents(ledger: Ledger, seen: number, follower: Follower): Promise<void> {
  const { stop } = follower;
  const outage = new Outage(follower);
  const reader = new Reader(ledger, seen, follower, outage);
  while (!stop.aborted) {
    const start = monotonic();
    try {
      await reader.readOn();
      outage.end();
    } catch (error) {
      if (stop.aborted) return;
      if (reader.isPolling && isOutage(error)) reader.isPolling = false;
      else await outage.wait(error, start);
    }
  }
}

/** Remembers what was handed on. */
class Reader {
  /** A server that is known to answer is asked to wait for news. What goes wrong then is an outage only if a plain question says so. */
  isPolling = false;
  readonly #ledger: Ledger;
  readonly #follower: Follower;
  readonly #outage: Outage;
  readonly #poll: Millis;
  #after: number;

  constructor(ledger: Ledger, after: number, follower: Follower, outage: Outage) {
    this.#ledger = ledger;
    this.#after = after;
    this.#follower = follower;
    this.#outage = outage;
    // Whoever has less patience wants to hear of a server that hangs sooner.
    this.#poll = Math.min(LONGEST_POLL, follower.patience / 3);
  }

  /** Hands on what there is; when that is nothing, waits for something. */
  async readOn(): Promise<void> {
    const ledger = within(this.#ledger, this.isPolling ? LATE_NEWS : this.#outage.limit, 0);
    if (this.isPolling && isComing(ledger)) return this.#waitFor(ledger);
    const more = this.#hand(await this.#orStop(ledger.events(this.#next)));
    if (isComing(ledger)) this.isPolling = true;
    else if (!more) await this.#orStop(ledger.changed(LONGEST_PAUSE));
  }

  async #waitFor(ledger: Coming): Promise<void> {
    const start = monotonic();
    const events = await this.#orStop(ledger.comingEvents(this.#next, this.#poll));
    this.#hand(events);
    if (events.length === 0 && monotonic() - start < Math.min(BREATH, this.#poll / 2))
      await this.#orStop(sleep(BREATH));
  }

  /** @returns true when there may be more. */
  #hand(events: readonly LedgerEvent[]): boolean {
    const { task, stop, hand } = this.#follower;
    if (stop.aborted) return false;
    hand(task === undefined ? events : events.filter((event) => event.task === task));
    this.#after = events.at(-1)?.seq ?? this.#after;
    return events.length === PAGE;
  }

  get #next(): EventQuery {
    return { after: this.#after, limit: PAGE };
  }

  #orStop<T>(work: Promise<T>): Promise<T> {
    return orStop(work, this.#follower.stop);
  }
}

/** A ledger that can be asked for events that are still to come. */
interface Coming extends Ledger {
  comingEvents(query: EventQuery, ms: Millis): Promise<LedgerEvent[]>;
}

function isComing(ledger: Ledger): ledger is Coming {
  return "comingEvents" in ledger && typeof ledger.comingEvents === "function";
}
