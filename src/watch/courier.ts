import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { toFailure } from "../kit/errors.ts";
import { type Channel, type Fault, SendError } from "./channels/channel.ts";
import { afterRestart, type Delivery, insteadOf, isOpen, type Lane, nextFor, pauseAfter, trimmed } from "./outbox.ts";

export interface CourierOptions {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly clock: () => Millis;
  /** Called before and after each try: what is kept must say so. */
  readonly keep: () => void;
  /**
   * Something to say: a channel that refuses, and that it takes alerts again. What somebody must mend is said at each try, what passes
   * once.
   */
  readonly say: (sentence: string) => void;
}

/** The most that a service can ask for, and what a wall clock that was stepped can cost after a restart. */
const LONGEST_WAIT: Millis = 10 * 60_000;

/**
 * Delivers what is owed, at least once: every channel by itself and in order, and where persons are told in another place, that one by
 * itself too, so that what hangs or is refused in one place holds no other up.
 */
export class Courier {
  deliveries: readonly Delivery[];
  readonly #options: CourierOptions;
  #channels: CourierOptions["channels"];
  readonly #running = new Map<string, Promise<void>>();
  /** Of each lane, by its name, what was said of it. */
  readonly #troubles = new Map<string, string>();
  /** Of each lane, the monotonic time before which nothing is tried: no step of the wall clock holds an alert back. */
  readonly #due = new Map<string, Millis>();
  /** Of each alert that waits, the monotonic time since which it does. */
  readonly #owed = new Map<string, Millis>();
  readonly #stop = new AbortController();

  constructor(found: readonly Delivery[], options: CourierOptions) {
    const now = options.clock();
    this.#options = options;
    this.#channels = options.channels;
    this.deliveries = afterRestart(found);
    this.#orphanAll();
    for (const { mark, owedAt } of this.deliveries.filter(isOpen))
      this.#owed.set(mark, monotonic() - Math.min(LONGEST_WAIT, Math.max(0, now - owedAt)));
    for (const lane of this.#lanes()) {
      const wait = (nextFor(this.deliveries, lane)?.notBefore ?? now) - now;
      this.#due.set(nameOf(lane), monotonic() + Math.min(LONGEST_WAIT, wait));
    }
  }

  /** Other channels from now on; what is just being sent ends where it began. */
  change(channels: ReadonlyMap<string, Channel>): void {
    this.#channels = channels;
    this.#orphanAll();
  }

  #orphanAll(): void {
    this.deliveries = this.deliveries.map((delivery) =>
      delivery.state === "waiting" && !this.#channels.has(delivery.channel) ? this.#orphaned(delivery) : delivery,
    );
  }

  /** What cannot be delivered any more because the manifest no longer has its channel. */
  #orphaned(delivery: Delivery): Delivery {
    const error = `the manifest has no channel ${delivery.channel} any more`;
    return { ...delivery, state: "refused", doneAt: this.#options.clock(), error };
  }

  /** What is owed already, or was told, is not owed again; what was given up is, and anew. */
  add(deliveries: readonly Delivery[]): void {
    const known = new Set(this.deliveries.filter(({ state }) => state !== "refused").map(({ mark }) => mark));
    const fresh = deliveries.filter(({ mark }) => !known.has(mark));
    if (fresh.length === 0) return;
    for (const { mark } of fresh) this.#owed.set(mark, monotonic());
    const again = new Set(fresh.map(({ mark }) => mark));
    this.deliveries = trimmed([...this.deliveries.filter(({ mark }) => !again.has(mark)), ...fresh]);
  }

  /** Goes on with what is owed; what runs already goes on by itself. */
  start(): void {
    for (const lane of this.#lanes()) {
      const name = nameOf(lane);
      if (this.#running.has(name) || !nextFor(this.deliveries, lane)) continue;
      const run = this.#deliver(lane).finally(() => this.#running.delete(name));
      this.#running.set(name, run);
    }
  }

  #lanes(): readonly Lane[] {
    return [...this.#channels.values()].flatMap(lanesOf);
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** How long the oldest alert has waited, as far as this process knows. */
  get waiting(): Millis {
    const waits = this.deliveries.filter(isOpen).map(({ mark }) => monotonic() - (this.#owed.get(mark) ?? monotonic()));
    return Math.max(0, ...waits);
  }

  /** Waits until nothing is under way, `limit` at most. */
  async settle(limit: Millis): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.race([this.#idle(), over]);
    clearTimeout(timer);
  }

  /** What one place refuses may set another one going. */
  async #idle(): Promise<void> {
    do {
      await Promise.all(this.#running.values());
      if (!this.#stop.signal.aborted) this.start();
    } while (!this.isIdle);
  }

  /** Begins nothing more; what is under way may end within `limit`. */
  async stop(limit: Millis): Promise<void> {
    this.#stop.abort();
    await this.settle(limit);
  }

  async #deliver(lane: Lane): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const channel = this.#channels.get(lane.channel);
      const delivery = nextFor(this.deliveries, lane);
      if (!channel || !delivery) return;
      const wait = (this.#due.get(nameOf(lane)) ?? 0) - monotonic();
      if (wait > 0) await this.#sleep(wait);
      else await this.#try(channel, lane, delivery);
    }
  }

  async #try(channel: Channel, lane: Lane, delivery: Delivery): Promise<void> {
    const { clock } = this.#options;
    const tries = delivery.tries + 1;
    const sending = this.#replace(delivery, { state: "sending", tries });
    try {
      const { notice, to, mark, maybeSent, everyone = false } = delivery;
      await channel.send({ notice, to, mark, again: maybeSent, attempt: tries, everyone });
      this.#replace(sending, { state: "sent", doneAt: clock(), error: null });
      const name = nameOf(lane);
      if (this.#troubles.delete(name)) this.#options.say(`${name} takes alerts again`);
    } catch (error) {
      this.#failed(lane, sending, error);
    }
  }

  #failed(lane: Lane, delivery: Delivery, error: unknown): void {
    const { message } = toFailure(error);
    const { maybeSent, wait, fault } =
      error instanceof SendError ? error : { maybeSent: false, wait: 0, fault: "passing" as const };
    const isRefused = fault === "message" || fault === "addressee";
    const pause = isRefused ? 0 : Math.min(LONGEST_WAIT, pauseAfter(delivery.tries, wait));
    this.#due.set(nameOf(lane), monotonic() + pause);
    const known = { error: message, maybeSent: delivery.maybeSent || maybeSent };
    if (isRefused) this.#refuse(delivery, known, fault);
    else this.#replace(delivery, { ...known, state: "waiting", notBefore: this.#options.clock() + pause });
    // Its channel may have been taken out of the manifest meanwhile.
    this.#orphanAll();
    if (!isRefused) this.#sayTrouble(lane, message, fault);
    // The channel may be called instead.
    if (fault === "addressee" && !this.#stop.signal.aborted) this.start();
  }

  #refuse(delivery: Delivery, known: Partial<Delivery>, fault: Fault): void {
    const now = this.#options.clock();
    const instead = fault === "addressee" ? insteadOf(delivery, this.deliveries, now) : null;
    const isNew = instead !== null && !this.deliveries.some(({ mark }) => mark === instead.mark);
    if (isNew) this.#owed.set(instead.mark, monotonic());
    // Kept together: no kill comes between the one and the other.
    this.#replace(delivery, { ...known, state: "refused", doneAt: now }, isNew ? [instead] : []);
    this.#options.say(`${known.error}; ${isNew ? "the whole channel is called instead" : "this alert is given up"}`);
  }

  /** What somebody has to mend is said at each try: alerts are not told until then. */
  #sayTrouble(lane: Lane, message: string, fault: Fault): void {
    const name = nameOf(lane);
    if (fault !== "channel" && this.#troubles.get(name) === message) return;
    this.#troubles.set(name, message);
    this.#options.say(`${message}; ${fault === "channel" ? "its alerts wait, and are tried again" : "trying again"}`);
  }

  /** @param more comes after it. */
  #replace(before: Delivery, change: Partial<Delivery>, more: readonly Delivery[] = []): Delivery {
    const after = { ...before, ...change };
    if (!isOpen(after)) this.#owed.delete(after.mark);
    this.deliveries = this.deliveries.flatMap((one) => (one.mark === before.mark ? [after, ...more] : [one]));
    this.#options.keep();
    return after;
  }

  #sleep(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, 60_000));
      this.#stop.signal.addEventListener("abort", done);
    });
  }
}

/** What is for a person is a row of its own where it goes to another place. */
function lanesOf({ name, onePlace }: Channel): readonly Lane[] {
  if (onePlace) return [{ channel: name, to: null }];
  return [
    { channel: name, to: "channel" },
    { channel: name, to: "direct" },
  ];
}

/** For maps and messages. */
function nameOf({ channel, to }: Lane): string {
  return to === "direct" ? `${channel} (directly)` : channel;
}
