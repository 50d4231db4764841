import type { LedgerEvent, Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Api } from "./api.ts";
import { eventSearch } from "./query.ts";

/** More than this at once and the rest is news the next time. */
const ENOUGH = 100;
/** The longest that the server waits. */
const LONGEST: Millis = 60_000;
/** Between two questions at least, where the server does not wait by itself (it is about to stop). */
const BREATH: Millis = 200;

/** Waits for news of the journal. Remembers the newest event that anyone of this process has seen. */
export class News {
  readonly #api: Api;
  #seen: number | null = null;
  #closed = false;
  #endPause = () => {};

  constructor(api: Api) {
    this.#api = api;
  }

  /** To be told of all events that were read for another reason. */
  saw(events: readonly LedgerEvent[]): void {
    const newest = events.at(-1)?.seq;
    if (newest !== undefined) this.#seen = Math.max(this.#seen ?? 0, newest);
  }

  /**
   * Resolves when there may be news, after `ms` at the latest. The first time at once: what happened since the caller's
   * last look cannot be told. A server that does not answer is no error here: the caller's next look says so.
   */
  async wait(ms: Millis): Promise<void> {
    const end = monotonic() + Math.min(ms, LONGEST);
    const left = () => Math.max(0, end - monotonic());
    const known = this.#seen;
    try {
      const events = known === null ? await this.#newest() : await this.#after(known, Math.min(ms, LONGEST));
      this.saw(events);
      if (events.length === 0 && known !== null) await this.#pause(Math.min(left(), BREATH));
      this.#seen ??= 0;
    } catch {
      this.#seen = null;
      await this.#pause(left());
    }
  }

  close(): void {
    this.#closed = true;
    this.#endPause();
  }

  #newest(): Promise<readonly LedgerEvent[]> {
    return this.#ask(eventSearch({ last: 1 }), undefined);
  }

  #after(seq: number, ms: Millis): Promise<readonly LedgerEvent[]> {
    return this.#ask(eventSearch({ after: seq, limit: ENOUGH, wait: Math.ceil(ms) }), ms);
  }

  async #ask(search: string, waits: Millis | undefined): Promise<readonly LedgerEvent[]> {
    const call = { method: "GET", path: `/events${search}`, effect: "read", has: "events", waits } as const;
    return (await this.#api.call<{ events: LedgerEvent[] }>(call)).events;
  }

  #pause(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#closed ? 0 : ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
