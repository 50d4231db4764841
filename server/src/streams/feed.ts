import { setTimeout as sleep } from "node:timers/promises";
import { type Ledger, type Millis, Refusal, StoreError } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { backoff } from "./backoff.ts";
import { type End, Frame } from "./frame.ts";
import { Pages } from "./pages.ts";
import { Ring, type RingLimits } from "./ring.ts";
import { Signal } from "./signal.ts";
import { type Position, type Sink, type Source, Subscription } from "./subscription.ts";

export interface FeedOptions {
  /** What is kept in memory for readers that are a little behind. */
  readonly ring?: RingLimits;
  /** The longest wait for `ledger.changed`: a lost hint delays an event by so much. */
  readonly poll?: Millis;
  /** The shortest time between two reads: under load one read serves several writes. */
  readonly pause?: Millis;
  /** How long it goes on without a subscriber, for a client that comes right back. */
  readonly linger?: Millis;
  /** Told of each failed read, and with null that it works again. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

const DEFAULTS = { ring: { events: 4000, bytes: 4 * 2 ** 20 }, poll: 1000, pause: 4, linger: 2000 };
/** Events read at once by the feed itself. */
const LIMIT = 500;

/**
 * The one reader of the journal in this process: it reads each event once and hands it to every subscriber. It begins with the
 * first and rests after the last. An outage of the store delays it; nothing is skipped.
 */
export class Feed {
  readonly #ledger: Ledger;
  readonly #options: Required<Omit<FeedOptions, "onTrouble">> & Pick<FeedOptions, "onTrouble">;
  readonly #ring: Ring;
  readonly #pages: Pages;
  readonly #news = new Signal();
  readonly #subscriptions = new Set<Subscription>();
  readonly #source: Source;
  /** What is in the ring continues the ledger's journal: it was told where to begin. */
  #placed = false;
  #running = false;
  #lingering: NodeJS.Timeout | undefined;
  #watching = false;
  #ended: End | null = null;
  #lag: Millis = 0;

  constructor(ledger: Ledger, options: FeedOptions = {}) {
    this.#ledger = ledger;
    this.#options = { ...DEFAULTS, ...options };
    this.#ring = new Ring(this.#options.ring);
    this.#pages = new Pages(ledger, () => this.#ring.head);
    this.#source = {
      recent: (after, bytes) => (this.#placed ? this.#ring.after(after, bytes) : undefined),
      page: (after, task) => this.#pages.read(after, task),
      left: (subscription) => this.#left(subscription),
    };
  }

  /** Subscribers now. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** It is being read now; false when it rests. */
  get running(): boolean {
    return this.#running;
  }

  /** Milliseconds from the store's time of the newest event to when it was read. */
  get lag(): Millis {
    return this.#lag;
  }

  /** Something was written through this process: look now. */
  nudge(): void {
    if (this.#running) this.#news.ring();
  }

  /**
   * Throws, before a stream begins, what would end it: Refusal `pruned` when events after `after` are not kept, or when the
   * journal has not come so far (another ledger, or an older copy of it); StoreError when the store, or this server, is not there.
   */
  async check({ after }: Position): Promise<void> {
    if (this.#ended) throw new StoreError("unavailable", "This server is stopping.", "Connect again.");
    if (this.#placed && after <= this.#ring.head && this.#ring.covers(after)) return;
    const [next] = await this.#ledger.events({ after, limit: 1 });
    if (next || after === 0) return;
    const [newest] = await this.#ledger.events({ last: 1 });
    if ((newest?.seq ?? 0) >= after) return;
    throw new Refusal("pruned", `The journal ends at ${newest?.seq ?? 0}; this ledger has no event ${after}.`, {
      hint: "It is another ledger, or an older copy: read the tasks anew, then follow from its newest number.",
    });
  }

  /** Every event after `position`, each once and in order, until it is cancelled or ended. */
  subscribe(position: Position, sink: Sink): Subscription {
    const subscription = new Subscription(this.#source, position, sink);
    const ended = this.#ended;
    this.#subscriptions.add(subscription);
    // Not before the caller has what it subscribed to: its sink may need it.
    queueMicrotask(() => (ended ? subscription.end(ended) : subscription.wake()));
    if (!ended) this.#start();
    return subscription;
  }

  /** Ends every subscription with the wish to come back in `retryMs`; those that come later end at once. */
  close(retryMs: Millis): void {
    this.#ended ??= { type: "bye", retry_ms: retryMs };
    for (const subscription of [...this.#subscriptions]) subscription.end(this.#ended);
    this.#rest();
  }

  #left(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    if (this.#subscriptions.size > 0 || !this.#running || this.#lingering || this.#ended) return;
    this.#lingering = setTimeout(() => this.#rest(), this.#options.linger).unref();
  }

  #rest(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    if (this.#subscriptions.size === 0) this.#news.ring();
  }

  get #wanted(): boolean {
    return this.#subscriptions.size > 0 || this.#lingering !== undefined;
  }

  #start(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#wanted; ) {
      const began = monotonic();
      try {
        await this.#read();
        if (failures > 0) this.#options.onTrouble?.(null);
        failures = 0;
      } catch (error) {
        this.#options.onTrouble?.(error);
        // Pruned past where it was: it begins anew at the newest, and each subscriber finds out for itself what it missed.
        if (error instanceof Refusal) this.#placed = false;
        await sleep(backoff(failures++), undefined, { ref: false });
        continue;
      }
      this.#watch();
      await this.#news.heard();
      const spent = monotonic() - began;
      if (spent < this.#options.pause) await sleep(this.#options.pause - spent);
    }
    this.#running = false;
    this.#placed = false;
    this.#ring.reset(0);
  }

  /** Reads up to the journal's end. */
  async #read(): Promise<void> {
    if (!this.#placed) await this.#place();
    for (;;) {
      const events = await this.#ledger.events({ after: this.#ring.head, limit: LIMIT });
      const newest = events.at(-1);
      if (!newest) return;
      this.#lag = Math.max(0, Date.now() - newest.at);
      this.#ring.append(events.map((event) => new Frame(event)));
      this.#wakeAll();
      if (events.length < LIMIT) return;
    }
  }

  /** Begins at the newest event: what a subscriber still needs of those before, it reads itself. */
  async #place(): Promise<void> {
    const [newest] = await this.#ledger.events({ last: 1 });
    this.#ring.reset(newest?.seq ?? 0);
    this.#placed = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** Rings when another process may have written, or the store could not say. One question at a time is open. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const heard = () => {
      this.#watching = false;
      this.#news.ring();
    };
    this.#ledger.changed(this.#options.poll).then(heard, () => setTimeout(heard, backoff(4)).unref());
  }
}

/** The feed of a process, over its ledger. */
export function createFeed(ledger: Ledger, options?: FeedOptions): Feed {
  return new Feed(ledger, options);
}
