import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Host } from "../dr/manifest/model.ts";
import { toFailure } from "../kit/errors.ts";
import { allRecipients, type Recipient, recipientsOf } from "./channels/recipients.ts";
import { Courier, type CourierOptions } from "./courier.ts";
import { concernOf } from "./machine/concern.ts";
import { freshHost, type HostState, type Probe, stepHost } from "./machine/host.ts";
import type { Notice } from "./machine/notice.ts";
import { standing } from "./machine/standing.ts";
import { owed } from "./outbox.ts";
import type { Look, Prober } from "./probe.ts";
import type { Setting } from "./setting.ts";
import { type AckRecord, type Kept, readAcks, readKeptOrAside, writeKept } from "./store.ts";
import { alarmsOf, isPrimary } from "./urgent.ts";

/** An alert that waits for so long is not being told: the dead-man's ping stays away then, so that its service tells. */
const STUCK: Millis = 120_000;
/** What a watcher that is told to end lets the message under way have. */
const LAST_WORDS: Millis = 3000;

export interface WatcherOptions extends Setting {
  readonly clock: CourierOptions["clock"];
  /** Where the state is kept. */
  readonly folder: string;
  readonly prober: Pick<Prober, "look">;
  /** Asked before each round: another setting from then on, or null. Never throws. */
  readonly changed?: () => Promise<Setting | null>;
  /** A change, once. */
  readonly tell: (notice: Notice) => void;
  /** Anything else that a person should know. */
  readonly warn: (sentence: string) => void;
}

/** Looks, decides, keeps, tells: one round after the other. One a folder; the caller has the lock. */
export class Watcher {
  readonly #options: WatcherOptions;
  #setting: Setting;
  readonly #courier: Courier;
  readonly #kept: Kept | null;
  #hosts: Hosts;
  /** Who is told for the first time in the next round. */
  #newcomers: ReadonlySet<string>;
  #acksRead: number;
  #at: Millis;
  /** Monotonic time of the last round's step; null before the first. */
  #stepped: Millis | null = null;
  #cannotKeep = false;
  #cannotRead = false;

  constructor(options: WatcherOptions) {
    const { folder, clock, channels, warn } = options;
    this.#options = options;
    this.#setting = options;
    this.#kept = readKeptOrAside(folder, String(clock()), warn);
    this.#hosts = knownOf(this.#kept?.hosts ?? {}, options);
    this.#acksRead = this.#kept?.acksRead ?? this.#newAcks(0).read;
    this.#at = this.#kept?.at ?? clock();
    this.#newcomers = newcomers(options, this.#kept?.recipients);
    this.#courier = new Courier(this.#kept?.deliveries ?? [], {
      ...{ channels, clock, say: warn },
      keep: () => this.#keep(),
    });
  }

  get states(): readonly HostState[] {
    return this.#setting.hosts.flatMap(({ name }) => this.#hosts[name] ?? []);
  }

  /** What the manifest said last. */
  get setting(): Setting {
    return this.#setting;
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const start = monotonic();
      await this.#round(signal);
      await pause(this.#setting.watch.interval - (monotonic() - start), signal);
    }
    await this.#courier.stop(LAST_WORDS);
  }

  /**
   * Looks until it is known of each host whether it is up and well, and tells what is to be told. @param limit for the telling; what is
   * not told then is kept for the next time. @returns how many alerts are not told yet.
   */
  async once(signal: AbortSignal, limit: Millis): Promise<number> {
    await this.#round(signal);
    while (!signal.aborted && this.states.some(isUndecided)) {
      await pause(this.#setting.watch.interval, signal);
      await this.#round(signal);
    }
    await this.#courier.settle(limit);
    await this.#courier.stop(0);
    await this.#setting.deadMan?.settle();
    return this.#courier.deliveries.filter(({ state }) => state === "waiting" || state === "sending").length;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { prober, clock } = this.#options;
    this.#take((await this.#options.changed?.()) ?? null);
    const { hosts, deadMan } = this.#setting;
    const looks = await Promise.all(hosts.map((host) => prober.look(host)));
    if (signal.aborted) return;
    const seen = this.#judged(hosts, looks);
    const { acks, read } = this.#newAcks(this.#acksRead);
    const now = monotonic();
    const elapsed = this.#stepped === null ? null : now - this.#stepped;
    this.#stepped = now;
    this.#at = clock();
    this.#acksRead = read;
    const notices = hosts.flatMap((host, at) => this.#step(host, seen(at), acks, elapsed));
    // Newcomers first: what is down already is told before what has just come of it.
    this.#tellNewcomers();
    this.#owe(notices);
    // First kept, then told: a kill between the two tells it after the restart.
    this.#keep();
    for (const notice of notices) this.#options.tell(notice);
    this.#courier.start();
    if (this.#courier.waiting < STUCK) deadMan?.alive();
  }

  #take(next: Setting | null): void {
    if (!next) return;
    this.#newcomers = newcomers(next, allRecipients(this.#setting.watch.channels));
    this.#setting = next;
    this.#hosts = knownOf(this.#hosts, next);
    this.#courier.change(next.channels);
  }

  /** @returns of the host at an index, what was seen of it. */
  #judged(hosts: readonly Host[], looks: readonly Look[]): (at: number) => Judged | null {
    const { order } = this.#setting;
    return (at) => {
      const [host, look] = [hosts[at], looks[at]];
      if (!host || !look) return null;
      const isElsewhere = looks.some(({ health }, other) => other !== at && isPrimary(health));
      return { paths: look.paths, late: look.late, alarms: alarmsOf(host, look.health, order, isElsewhere) };
    };
  }

  #step(host: Host, look: Judged | null, acks: readonly AckRecord[], elapsed: Millis | null): readonly Notice[] {
    if (!look) return [];
    const before = this.#hosts[host.name] ?? freshHost(host.name, this.#at);
    const mine = acks.filter((ack) => ack.host === host.name);
    const moment = { wall: this.#at, elapsed };
    const { state, notices } = stepHost(before, { ...look, acks: mine }, moment, this.#setting.watch);
    this.#hosts = { ...this.#hosts, [host.name]: state };
    return notices;
  }

  #owe(notices: readonly Notice[]): void {
    const { channels } = this.#setting.watch;
    this.#courier.add(notices.flatMap((notice) => owed(notice, recipientsOf(notice, channels), this.#at)));
  }

  /** What cannot be read is no acknowledgement, and no reason to stop watching. */
  #newAcks(from: number): ReturnType<typeof readAcks> {
    try {
      const found = readAcks(this.#options.folder, from);
      this.#cannotRead = false;
      return found;
    } catch (error) {
      if (!this.#cannotRead)
        this.#options.warn(`acknowledgements cannot be read: ${toFailure(error).message.replace(/\.$/, "")}`);
      this.#cannotRead = true;
      return { acks: [], read: from };
    }
  }

  /** Who came since the last watcher is told what is down already; all others know. */
  #tellNewcomers(): void {
    const names = this.#newcomers;
    if (names.size === 0) return;
    this.#newcomers = new Set();
    const isNew = ({ channel, to }: Recipient) => names.has(`${channel}/${to}`);
    const newOf = (notice: Notice) => recipientsOf(notice, this.#setting.watch.channels).filter(isNew);
    const notices = Object.values(this.#hosts).flatMap(standing);
    this.#courier.add(notices.flatMap((notice) => owed(notice, newOf(notice), this.#at)));
  }

  /** A disk that is full must not keep alerts back: the watcher goes on with what is in memory, and says so once. */
  #keep(): void {
    const { folder, warn } = this.#options;
    const { watch } = this.#setting;
    try {
      const { deliveries } = this.#courier;
      const kept = { version: 1, at: this.#at, interval: watch.interval, hosts: this.#hosts, deliveries } as const;
      writeKept(folder, { ...kept, recipients: allRecipients(watch.channels), acksRead: this.#acksRead });
      if (this.#cannotKeep) warn("the state can be kept again");
      this.#cannotKeep = false;
    } catch (error) {
      const { message } = toFailure(error);
      if (!this.#cannotKeep)
        warn(`the state cannot be kept, so a restart may repeat alerts: ${message.replace(/\.$/, "")}`);
      this.#cannotKeep = true;
    }
  }
}

type Hosts = Readonly<Record<string, HostState>>;
type Judged = Omit<Probe, "acks">;

/** Something was missed, or said to be wrong, not often enough yet. */
function isUndecided(state: HostState): boolean {
  return [state.signal, concernOf(state).signal].some(({ lost, misses }) => !lost && misses > 0);
}

function knownOf(hosts: Hosts, { known }: Setting): Hosts {
  return Object.fromEntries(Object.entries(hosts).filter(([name]) => known.includes(name)));
}

/** @param before undefined: who was there is not known, and nobody is taken for new. */
function newcomers({ watch }: Setting, before: readonly string[] | undefined): ReadonlySet<string> {
  return new Set(before ? allRecipients(watch.channels).filter((name) => !before.includes(name)) : []);
}

function pause(ms: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
