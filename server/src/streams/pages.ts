import type { Ledger } from "@alai/core";
import { Frame } from "./frame.ts";

/** Events read from the ledger, and how far the reader has then come. */
export interface Page {
  readonly frames: readonly Frame[];
  /** Everything up to here was seen, also where no event of the task was among it. */
  readonly through: number;
}

const FIRST_LIMIT = 64;
/** One page must not keep the process from answering others for long. */
const MOST = 500;
const FULL_PAGE = 256 * 1024;
/** Catching up must not take the whole pool of connections from those who claim. */
const AT_ONCE = 2;

/**
 * Reads the journal for subscribers that are behind what is kept in memory. Those who ask for the same page share one read:
 * after a restart all of them come back at once, at the same place.
 */
export class Pages {
  readonly #ledger: Ledger;
  readonly #head: () => number;
  readonly #reading = new Map<string, Promise<Page>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #limit = FIRST_LIMIT;

  /** @param head the newest number that is known to be in the ledger. */
  constructor(ledger: Ledger, head: () => number) {
    this.#ledger = ledger;
    this.#head = head;
  }

  /** What follows `after`, of one task or of all. Throws what the ledger throws: `pruned`, StoreError. */
  read(after: number, task: number | undefined): Promise<Page> {
    const key = `${after} ${task ?? ""}`;
    const running = this.#reading.get(key);
    if (running) return running;
    const page = this.#read(after, task).finally(() => this.#reading.delete(key));
    this.#reading.set(key, page);
    return page;
  }

  async #read(after: number, task: number | undefined): Promise<Page> {
    await this.#turn();
    try {
      // Known before the read: the page then holds every event of the task up to here, whatever is written meanwhile.
      const known = this.#head();
      const limit = this.#limit;
      const events = await this.#ledger.events({ after, limit, ...(task !== undefined && { task }) });
      const frames = events.map((event) => new Frame(event));
      this.#adapt(frames, limit);
      const last = frames.at(-1)?.seq ?? after;
      return { frames, through: events.length < limit ? Math.max(known, last) : last };
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running += 1;
  }

  /** Events are of 300 bytes or of 2 MB: pages grow while they are small and shrink when one was large. */
  #adapt(frames: readonly Frame[], limit: number): void {
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
    if (bytes > FULL_PAGE) this.#limit = Math.max(1, Math.floor(limit / 4));
    else if (frames.length === limit && bytes < FULL_PAGE / 2) this.#limit = Math.min(MOST, limit * 2);
  }
}
