import type { Millis } from "@alai/core";
import { readPrimary } from "../epoch.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import type { Proofs } from "../prove/history.ts";
import { proofsIn } from "../prove/in-epoch.ts";
import type { Alarm, DatabaseReport, HostReport } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import { watch } from "../watchdogs/all.ts";
import type { WatchedDatabase } from "../watchdogs/watched.ts";
import type { Daily } from "./daily.ts";
import { KnownStorage } from "./known-storage.ts";
import { type Listed, Listing } from "./listing.ts";
import type { Log } from "./log.ts";
import { every } from "./loop.ts";
import { Primary } from "./primary.ts";
import { Reach } from "./reach.ts";
import { Remedies } from "./remedies.ts";
import type { Seen } from "./seen.ts";
import { Standby } from "./standby.ts";
import type { AgentState } from "./state.ts";
import { decide, type Verdict } from "./verdict.ts";
import { type Foreign, Writer } from "./writer.ts";

const TICK: Millis = 1000;
/** How often it is read who may write, by who knows and by who waits. */
const TRUTH: Millis = 10_000;
const TRUTH_WAITING: Millis = 2000;
const KEEP: Millis = 10_000;
const SAMPLE: Millis = 60_000;
/** How often others are looked at: their clocks, and the versions that they run. */
const CLOCKS: Millis = 60_000;
const VERSIONS: Millis = 10 * 60_000;
const SELDOM: Millis = 3_600_000;
const DAY: Millis = 24 * SELDOM;
/** A primary's own look at storage is for its watchdogs: the standby's is the one that is to be quick. */
const PRIMARY_POLLS = 3;
/** A host that has just begun its part has better to do than its daily runs: copies to make, a failover to get through. */
const SETTLED: Millis = 5 * 60_000;
/** A call to storage that has been silent for so long is said to be. */
const SILENCE: Millis = 3000;

/** How often is looked at what changes seldom; tests cannot wait for so long. */
export interface Pace {
  readonly keep?: Millis;
  readonly clocks?: Millis;
  readonly versions?: Millis;
}

export interface AgentOptions {
  readonly manifest: Manifest;
  readonly host: Host;
  readonly version: string;
  /** Between two listings of storage on a standby. */
  readonly poll: Millis;
  readonly storage: Storage;
  readonly state: AgentState;
  readonly seen: Seen;
  readonly log: Log;
  readonly clock: () => Millis;
  /** For spans: unlike `clock`, nobody sets it back. */
  readonly monotonic: () => Millis;
  readonly platform: string;
  readonly litestream: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Real restores of databases on this host, and what they showed. */
  readonly proofs: () => Proofs;
  /** What the agent of a host says; null when it does not answer. */
  readonly askPrimary: (host: string) => Promise<HostReport | null>;
  readonly pace?: Pace | undefined;
  /** Called when much was left behind in memory. */
  readonly collect?: (() => void) | undefined;
  /** What this host does every day; absent: another one does. */
  readonly daily?: Daily | undefined;
  /** Called now and then: addresses that this machine got later than the agent started. */
  readonly onMinute: () => Promise<void>;
}

/** One host's agent: what it may do is decided by storage, and done until that says otherwise. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #listing: Listing;
  readonly #known: KnownStorage;
  readonly #remedies: Remedies;
  readonly #writer: Writer;
  /** Another agent that writes what this one is to. */
  #foreign: Foreign | null = null;
  readonly #startedAt: Millis;
  #part: Primary | Standby | null = null;
  #reach: Reach | null = null;
  /** By the monotonic clock. */
  #partSince: Millis = 0;
  #verdict: Verdict = { act: "wait", why: "Storage has not said yet who may write." };
  #alarms: readonly Alarm[];
  #proofs: Proofs = { good: [], failed: [] };
  #epochSince: Millis | null = null;
  /** By the monotonic clock. */
  #tickedAt: Millis;
  #obeyedAt: Millis = Number.NEGATIVE_INFINITY;
  #round = 0;
  #owner = "";

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#listing = new Listing(options.storage, options.clock);
    this.#known = new KnownStorage(options);
    this.#startedAt = options.clock();
    this.#tickedAt = options.monotonic();
    this.#alarms = options.state.alarms();
    this.#remedies = new Remedies(options.monotonic, options.log);
    this.#writer = new Writer({ ...options, storageType: options.manifest.storage.type });
  }

  /** Runs until the signal, then ends what it started. */
  async run(): Promise<void> {
    const { seen, onMinute, pace: { keep = KEEP, clocks = CLOCKS, versions = VERSIONS } = {} } = this.#options;
    seen.lookAtDisks();
    await Promise.all([
      this.#every("truth", TRUTH_WAITING, () => this.#obeyTruth()),
      this.#every("tick", TICK, () => this.#tick()),
      this.#every("listing", this.#options.poll, () => this.#lookAtStorage()),
      this.#every("keep", keep, () => this.#keep()),
      this.#every("sample", SAMPLE, () => this.#sample()),
      this.#every("clocks", clocks, () => seen.lookAtClocks()),
      this.#every("proofs", KEEP, () => {
        this.#proofs = this.#options.proofs();
      }),
      this.#every("addresses", SAMPLE, onMinute),
      this.#every("versions", versions, () => seen.lookAtVersions()),
      this.#every("pruning", SELDOM, () => this.#prune()),
    ]);
    this.#keep();
    await Promise.all([this.#stopPart(), this.#options.daily?.stop()]);
  }

  /** Whether its rounds go on: a process that is there and does nothing is not well. */
  get isAlive(): boolean {
    return this.#options.monotonic() - this.#tickedAt < 20 * TICK;
  }

  get report(): HostReport {
    const { host, version, clock, manifest } = this.#options;
    return {
      host: host.name,
      role: this.#role,
      version,
      at: clock(),
      startedAt: this.#startedAt,
      epoch: this.#verdict.act === "wait" ? 0 : this.#verdict.epoch,
      manifestHash: manifest.hash,
      databases: this.#databases.map(({ report }) => report),
      children: this.#part instanceof Primary ? this.#part.children.map(({ report }) => report) : [],
      alarms: this.#alarms,
      listedAt: this.#listing.listedAt,
      storageTrouble: this.#storageTrouble,
      storageSince: this.#known.marker?.since ?? null,
      waiting: this.#verdict.act === "wait" ? this.#verdict.why : null,
      foreignWriter: this.#foreign?.sentence ?? null,
      epochSince: this.#epochSince,
      proofs: this.#proofs.good,
      failedProofs: this.#proofs.failed,
      operations: { ...this.#options.storage.operations },
      daily: this.#options.daily?.report ?? [],
    };
  }

  /** What it does; what the manifest says of a host that has taken over may be what it was. */
  get #role(): Host["role"] {
    if (!this.#part) return this.#options.host.role;
    return this.#part instanceof Standby ? "standby" : "primary";
  }

  get #databases(): readonly WatchedDatabase[] {
    return this.#part?.databases ?? [];
  }

  #every(name: string, interval: Millis, round: () => Promise<void> | void): Promise<void> {
    const { signal, log } = this.#options;
    return every({ name, interval, signal, log }, round);
  }

  /** Reads who may write, and becomes that. While storage does not say, nothing changes: what runs goes on, what waits waits. */
  async #obeyTruth(): Promise<void> {
    const { host, storage, state, monotonic, manifest } = this.#options;
    if (this.#part instanceof Primary) await this.#become(await this.#alone(this.#verdict));
    if (this.#part && monotonic() - this.#obeyedAt < TRUTH) return;
    const newest = state.recall<number>("", "newest epoch") ?? 0;
    const said = await this.#listing.during("read", async () => {
      const truth = await readPrimary(storage, manifest);
      const verdict = decide({ host, truth, newest });
      return { truth, verdict, other: await this.#known.look({ mayBegin: verdict.act === "primary" }) };
    });
    if (said === null) {
      const trouble = this.#listing.refusal("read");
      if (this.#verdict.act === "wait")
        this.#say({ act: "wait", why: `Storage does not say who may write: ${trouble?.message ?? "it is silent"}` });
      return;
    }
    this.#obeyedAt = monotonic();
    if (said.other !== null) return this.#become({ act: "wait", why: said.other });
    this.#owner = said.truth.owner;
    this.#epochSince = said.truth.since;
    await this.#become(await this.#alone(said.verdict, { mayBegin: true }));
  }

  /** Whoever is to write does so while no other agent does: a host's name alone does not tell two machines apart. */
  async #alone(verdict: Verdict, { mayBegin = false } = {}): Promise<Verdict> {
    if (verdict.act !== "primary") {
      this.#writer.rest();
      this.#foreign = null;
      this.#listing.rest("write");
      return verdict;
    }
    const { epoch } = verdict;
    const wasRefused = this.#listing.refusal("write") !== null;
    const held = await this.#listing.during("write", async () => ({
      by: await this.#writer.hold(epoch, { mayBegin }),
    }));
    if (held) this.#foreign = held.by;
    if (held?.by === null && wasRefused && this.#part instanceof Primary) await this.#part.storageIsBack();
    if (this.#foreign) return { act: "wait", why: this.#foreign.why };
    // What runs goes on: its sign is written as soon as storage takes one.
    const before = this.#verdict;
    if (held || (this.#part && before.act === "primary" && before.epoch === epoch)) return verdict;
    const trouble = this.#listing.refusal("write");
    return { act: "wait", why: `Storage does not take the sign of who writes: ${trouble?.message ?? "it is silent"}` };
  }

  async #become(verdict: Verdict): Promise<void> {
    const before = this.#verdict;
    const isSame =
      verdict.act === before.act &&
      (verdict.act === "wait" || (before.act !== "wait" && before.epoch === verdict.epoch));
    if (isSame && (verdict.act === "wait" || this.#part)) {
      this.#say(verdict);
      return;
    }
    await this.#stopPart();
    this.#say(verdict);
    if (verdict.act === "wait") return;
    this.#options.state.keep([{ name: "", kind: "newest epoch", value: verdict.epoch }]);
    this.#part = this.#makePart(verdict.act, verdict.epoch);
    this.#partSince = this.#options.monotonic();
  }

  #makePart(act: "primary" | "standby", epoch: number): Primary | Standby {
    if (act === "standby") return new Standby({ ...this.#options, epoch });
    const primary = new Primary({ ...this.#options, epoch });
    primary.start();
    this.#reach = new Reach({ ...this.#options, databases: this.#options.manifest.databases, epoch });
    return primary;
  }

  #say(verdict: Verdict): void {
    const before = this.#verdict;
    this.#verdict = verdict;
    if (verdict.act === "wait") {
      if (before.act !== "wait" || before.why !== verdict.why) this.#options.log.warn("waits", { why: verdict.why });
    } else if (before.act !== verdict.act || before.epoch !== verdict.epoch)
      this.#options.log.info("acts", { role: verdict.act, epoch: verdict.epoch });
  }

  async #stopPart(): Promise<void> {
    const part = this.#part;
    this.#part = null;
    this.#reach = null;
    this.#known.forgetListing();
    if (part) void this.#options.daily?.interrupt();
    // What a fenced one still holds would be written over what another one has sent.
    await (part instanceof Standby ? part.stop(5 * TICK) : part?.stop(this.#foreign ? 0 : undefined));
  }

  async #tick(): Promise<void> {
    if (this.#part instanceof Primary) await this.#part.tick();
    this.#tickedAt = this.#options.monotonic();
    this.#watch();
    if (this.#isAtEase) this.#options.daily?.tick();
  }

  /** Whether there is time, and room, to restore everything. */
  get #isAtEase(): boolean {
    if (!this.#part || this.#options.monotonic() - this.#partSince < SETTLED) return false;
    if (this.#listing.listedAt === null || this.#listing.trouble(SILENCE)) return false;
    return !this.#alarms.some(({ kind }) => kind === "disk_low");
  }

  async #list(): Promise<void> {
    const part = this.#part;
    const { act } = this.#verdict;
    if (!part || this.#verdict.act === "wait") {
      this.#listing.rest("list");
      return;
    }
    if (act === "primary" && this.#round++ % PRIMARY_POLLS !== 0) return;
    const [listed, primary] = await Promise.all([
      this.#listing.look(this.#verdict.epoch),
      part instanceof Standby ? this.#options.askPrimary(this.#owner) : null,
    ]);
    if (part !== this.#part) return;
    if (listed && (await this.#isOfThisStorage(listed)) && part === this.#part) {
      part.listed(listed);
      this.#reach?.listed(listed, this.#known.marker?.acceptedAt ?? null);
    }
    if (primary && part instanceof Standby) part.confirm(primary);
  }

  /** What another storage lacks is nothing to be healed: a listing counts only when it is of the one that it was. */
  async #isOfThisStorage(listed: Listed): Promise<boolean> {
    if (this.#known.isDoubtful(listed)) {
      const said = await this.#listing.during("read", async () => ({ other: await this.#known.look({ now: true }) }));
      // The part ends as soon as the truth is read again.
      if (said?.other != null) this.#obeyedAt = Number.NEGATIVE_INFINITY;
      if (said?.other !== null) return false;
    }
    this.#known.listed(listed);
    return true;
  }

  get #storageTrouble(): HostReport["storageTrouble"] {
    return this.#known.trouble ?? this.#listing.trouble(SILENCE);
  }

  async #lookAtStorage(): Promise<void> {
    await this.#list();
    // Not in the round itself, whose variables still hold on to the listing.
    this.#options.collect?.();
  }

  #watch(): void {
    const { clock, state, log, poll, seen } = this.#options;
    const part = this.#part;
    const proofs = proofsIn(this.#proofs, this.#verdict.act === "wait" ? null : this.#verdict.epoch);
    const settled = watch(
      {
        now: clock(),
        role: this.#role,
        startedAt: this.#startedAt,
        poll: part instanceof Primary ? poll * PRIMARY_POLLS : poll,
        listedAt: this.#listing.listedAt,
        storageTrouble: this.#storageTrouble,
        databases: this.#databases,
        children: part instanceof Primary ? part.children : [],
        lostHistory: this.#reach?.lost ?? new Map(),
        volumes: seen.volumes,
        aside: seen.aside,
        clocks: seen.clocks,
        versions: seen.versions,
        daily: this.#options.daily?.report ?? [],
        foreignWriter: this.#foreign?.sentence ?? null,
        epochSince: this.#epochSince,
        proofs: proofs.good,
        failedProofs: proofs.failed,
      },
      this.#alarms,
    );
    this.#alarms = settled.alarms;
    for (const { kind, subject, sentence } of settled.fired) log.warn("alarm", { kind, subject, sentence });
    for (const { kind, subject } of settled.calmed) log.info("calm again", { kind, subject });
    if (settled.fired.length + settled.calmed.length > 0) state.keepAlarms(settled.alarms);
    this.#remedies.apply(settled.alarms, part);
  }

  #keep(): void {
    this.#part?.keep();
    this.#options.daily?.tidy();
    this.#options.seen.lookAtDisks();
  }

  /** For plots: how old what is proven is. */
  #sample(): void {
    const now = this.#options.clock();
    if (!this.#part) return;
    const lags = this.#databases.map(({ database, report }) => {
      const time = this.#part instanceof Primary ? report.shipped?.time : provenTime(report);
      return [database.name, time == null ? null : Math.max(0, now - time)] as const;
    });
    this.#options.state.addSamples(now, new Map(lags));
  }

  #prune(): void {
    this.#options.state.prune(this.#options.clock(), DAY, 30 * DAY);
  }
}

/** Of a copy: the newest moment that its heartbeat stands for. */
function provenTime({ applied, proven }: DatabaseReport): Millis | null {
  return applied?.beat ? Math.max(applied.beat.at, proven?.until ?? 0) : null;
}
