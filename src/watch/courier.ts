import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { toFailure } from "../kit/errors.ts";
import { type Channel, SendError } from "./channels/channel.ts";
import { afterRestart, type Delivery, isOpen, nextFor, pauseAfter, trimmed } from "./outbox.ts";

export interface CourierOptions {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly clock: () => Millis;
  /** Called before and after each try: what is kept must say so. */
  readonly keep: () => void;
  /** Something to say: a channel that refuses, each reason once, and that it takes alerts again. */
  readonly say: (sentence: string) => void;
}

/** The most that a service can ask for, and what a wall clock that was stepped can cost after a restart. */
const LONGEST_WAIT: Millis = 10 * 60_000;

/** Delivers what is owed, at least once: every channel by itself and in order, so that one that hangs holds no other up. */
export class Courier {
  deliveries: readonly Delivery[];
  readonly #options: CourierOptions;
  #channels: CourierOptions["channels"];
  readonly #running = new Map<string, Promise<void>>();
  /** Of each channel, what was said of it. */
  readonly #troubles = new Map<string, string>();
  /** Of each channel, the monotonic time before which nothing is tried: no step of the wall clock holds an alert back. */
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
    for (const name of options.channels.keys()) {
      const wait = (nextFor(this.deliveries, name)?.notBefore ?? now) - now;
      this.#due.set(name, monotonic() + Math.min(LONGEST_WAIT, wait));
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
    for (const name of this.#channels.keys()) {
      if (this.#running.has(name) || !nextFor(this.deliveries, name)) continue;
      const run = this.#deliver(name).finally(() => this.#running.delete(name));
      this.#running.set(name, run);
    }
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
    await Promise.race([Promise.all(this.#running.values()), over]);
    clearTimeout(timer);
  }

  /** Begins nothing more; what is under way may end within `limit`. */
  async stop(limit: Millis): Promise<void> {
    this.#stop.abort();
    await this.settle(limit);
  }

  async #deliver(name: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const channel = this.#channels.get(name);
      const delivery = nextFor(this.deliveries, name);
      if (!channel || !delivery) return;
      const wait = (this.#due.get(name) ?? 0) - monotonic();
      if (wait > 0) await this.#sleep(wait);
      else await this.#try(channel, delivery);
    }
  }

  async #try(channel: Channel, delivery: Delivery): Promise<void> {
    const { clock } = this.#options;
    const tries = delivery.tries + 1;
    const sending = this.#replace(delivery, { state: "sending", tries });
    try {
      const { notice, to, mark, maybeSent } = delivery;
      await channel.send({ notice, to, mark, again: maybeSent, attempt: tries });
      this.#replace(sending, { state: "sent", doneAt: clock(), error: null });
      if (this.#troubles.delete(channel.name)) this.#options.say(`${channel.name} takes alerts again`);
    } catch (error) {
      this.#failed(sending, error);
    }
  }

  #failed(delivery: Delivery, error: unknown): void {
    const { clock, say } = this.#options;
    const { message } = toFailure(error);
    const { maybeSent, wait, hopeless } =
      error instanceof SendError ? error : { maybeSent: false, wait: 0, hopeless: false };
    const pause = hopeless ? 0 : Math.min(LONGEST_WAIT, pauseAfter(delivery.tries, wait));
    this.#due.set(delivery.channel, monotonic() + pause);
    const next = hopeless
      ? ({ state: "refused", doneAt: clock(), error: message } as const)
      : ({ state: "waiting", notBefore: clock() + pause, error: message } as const);
    this.#replace(delivery, { ...next, maybeSent: delivery.maybeSent || maybeSent });
    // Its channel may have been taken out of the manifest meanwhile.
    this.#orphanAll();
    if (this.#troubles.get(delivery.channel) === message) return;
    this.#troubles.set(delivery.channel, message);
    say(hopeless ? `${message}; this alert is given up` : `${message}; trying again`);
  }

  #replace(before: Delivery, change: Partial<Delivery>): Delivery {
    const after = { ...before, ...change };
    if (!isOpen(after)) this.#owed.delete(after.mark);
    this.deliveries = this.deliveries.map((delivery) => (delivery.mark === before.mark ? after : delivery));
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
