import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Millis } from "@alai/core";
import { epochPrefix } from "../epoch.ts";
import { runLitestream } from "../litestream/run.ts";
import { filesByReplica } from "../ltx/name.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import { type LitestreamConfig, renderConfigs, replicateWords } from "../render/configs.ts";
import { brief } from "../restore/brief.ts";
import type { Storage } from "../storage/storage.ts";
import type { WatchedChild, WatchedDatabase } from "../watchdogs/watched.ts";
import { Child, type Surroundings } from "./child.ts";
import { dataInStorage } from "./in-storage.ts";
import type { Listed } from "./listing.ts";
import { lastComplaints } from "./litestream-log.ts";
import { sentenceOf } from "./log.ts";
import { type KnownOfOrigin, Origin } from "./origin.ts";
import { liftOver } from "./over-hole.ts";
import { askLitestream } from "./socket.ts";

/** A Litestream that looks at the wrong file, or sends nothing, is started anew; but not time and again. */
const RESTART_PAUSE: Millis = 30_000;
/** One that has sent something so lately is slow, not stuck: started anew it would only be slower. */
const STUCK: Millis = 60_000;
/** After a whole image that did not help, then twice this, up to the longest; and how long one may take. */
const HEAL_PAUSE: Millis = 60_000;
const LONGEST_HEAL_PAUSE: Millis = 30 * 60_000;
const HEAL: Millis = 15 * 60_000;
/** What waits for longer than the ordinary way takes may have an error of Litestream's as its reason. */
const WAITS: Millis = 10_000;

export interface PrimaryOptions extends Surroundings {
  readonly manifest: Manifest;
  readonly host: Host;
  readonly epoch: number;
  readonly storage: Storage;
  /** The program. */
  readonly litestream: string;
  /** Its whole environment, credentials included. */
  readonly env: Readonly<Record<string, string>>;
}

/** The folder of the configs that an agent renders for its own children. */
export function configsFolder(host: Host): string {
  return join(host.state, "litestream");
}

interface Process {
  readonly config: LitestreamConfig;
  readonly child: Child;
  readonly origins: readonly Origin[];
  /** By the monotonic clock, as the next. */
  restartedAt: Millis;
  /** When a listing last showed something new of one of its databases. */
  movedAt: Millis;
  /** Whole images are being sent. */
  healing: boolean;
  healedAt: Millis;
  healPause: Millis;
}

/** What the agent does on a host that writes: Litestream runs for every database, heartbeats are written, positions are followed. */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #processes: readonly Process[];
  readonly #origins: readonly Origin[];
  readonly #healings = new Set<Promise<void>>();
  #asking: Promise<void> | null = null;
  readonly #ending = new AbortController();
  #stopped = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { manifest, host, state, epoch } = options;
    const origins = new Map(
      manifest.databases.map((database) => {
        const recall = <K extends keyof KnownOfOrigin>(key: K) =>
          state.recall<NonNullable<KnownOfOrigin[K]>>(database.name, kindOf(key, epoch));
        const [beat, shipped, inode] = [recall("beat"), recall("shipped"), recall("inode")];
        const [healed, begunAt, pendingSince] = [recall("healed"), recall("begunAt"), recall("pendingSince")];
        const known = { beat, shipped, inode, data: recall("data"), healed, begunAt, pendingSince };
        return [database.name, new Origin(database, host, known)];
      }),
    );
    this.#origins = [...origins.values()];
    this.#processes = renderConfigs(manifest, host, { epoch }).map((config) => ({
      config,
      child: this.#childOf(config),
      origins: config.databases.flatMap(({ name }) => origins.get(name) ?? []),
      restartedAt: Number.NEGATIVE_INFINITY,
      healing: false,
      healedAt: Number.NEGATIVE_INFINITY,
      healPause: HEAL_PAUSE,
      movedAt: options.monotonic(),
    }));
  }

  start(): void {
    for (const process of this.#processes) {
      mkdirSync(dirname(process.config.socket), { recursive: true, mode: 0o700 });
      for (const origin of process.origins) {
        // What was replaced while nobody looked: Litestream would take it for the old one, changed.
        if (origin.look()) origin.forget(this.#options.clock());
        // Litestream's folder is of another epoch, or of nobody knows what: its replica would begin in the midst.
        else if (origin.shippedTxid === 0) origin.begin();
      }
      this.#begin(process);
    }
    this.#ask();
  }

  /** Starts a Litestream that does not run, with what it may have. */
  #begin(process: Process): void {
    if (this.#stopped || process.child.report.pid !== null) return;
    for (const origin of process.origins) if (origin.look()) origin.forget(this.#options.clock());
    if (this.#write(process)) process.child.start();
  }

  /** @returns whether there is anything for it to do. */
  #write({ config: { name, process }, origins }: Process): boolean {
    const { manifest, host, epoch } = this.#options;
    const sent = new Set(origins.filter(({ isHeld }) => !isHeld).map(({ database }) => database));
    const config = renderConfigs(manifest, host, { epoch, only: (one) => sent.has(one) }).find(
      (one) => one.process === process,
    );
    if (config) writeWhole(join(configsFolder(host), name), config.text);
    return sent.size > 0;
  }

  /** What storage has of databases that are empty here, and of which nothing is known from before. Asked until it says. */
  #ask(): void {
    const asking = this.#origins.filter(({ isAsking }) => isAsking);
    if (asking.length === 0 || this.#asking || this.#stopped) return;
    const { storage, host, epoch, log } = this.#options;
    const names = asking.map(({ database: { name } }) => name);
    this.#asking = dataInStorage({ storage, names, scratch: join(host.state, `was-data-e${epoch}`) })
      .then(async (found) => {
        for (const origin of asking) origin.told(found.get(origin.database.name) ?? 0);
        await this.#takeUp(asking.filter(({ isHeld }) => !isHeld));
      })
      .catch((error) => log.error("what storage has of empty databases is not known", { reason: sentenceOf(error) }))
      .finally(() => {
        this.#asking = null;
      });
  }

  /** Litestream may have these from now on; it did not until now. */
  async #takeUp(origins: readonly Origin[]): Promise<void> {
    for (const origin of origins) origin.begin();
    for (const process of this.#processes) {
      if (!process.origins.some((origin) => origins.includes(origin))) continue;
      await process.child.stop();
      // What is healed is started by that, with these.
      if (!process.healing) this.#begin(process);
    }
  }

  /** Heartbeats that are due, files, and what each Litestream says. */
  async tick(): Promise<void> {
    this.#beat();
    await Promise.all(this.#processes.map((process) => this.#look(process)));
  }

  listed({ began, replicas }: Listed): void {
    for (const process of this.#processes)
      for (const origin of process.origins) {
        const before = origin.shippedTxid;
        origin.listed(replicas.get(origin.database.name) ?? [], began);
        if (origin.shippedTxid > before) process.movedAt = this.#options.monotonic();
      }
    for (const process of this.#processes) this.#healWhatLacks(process);
    this.#ask();
  }

  /** See `#heal`. */
  #healWhatLacks(process: Process): void {
    const lacking = process.origins.filter(({ lack, isHeld }) => lack !== null && !isHeld);
    const isDue = this.#options.monotonic() - process.healedAt >= process.healPause;
    if (lacking.length === 0 || process.healing || !isDue || this.#stopped) return;
    const soon = this.#options.monotonic() - process.healedAt < 4 * process.healPause;
    process.healPause = soon ? Math.min(2 * process.healPause, LONGEST_HEAL_PAUSE) : HEAL_PAUSE;
    process.healing = true;
    const healing = this.#heal(process, lacking)
      .catch((error) => this.#options.log.error("no whole image could be sent", { reason: sentenceOf(error) }))
      .finally(() => {
        process.healing = false;
        process.healedAt = this.#options.monotonic();
        this.#healings.delete(healing);
        this.#begin(process);
      });
    this.#healings.add(healing);
  }

  /**
   * Litestream goes on with changes whatever storage has lost: only a snapshot makes it restorable again, and one is taken on
   * request by a run of its own, while the one that replicates does not run.
   */
  async #heal(process: Process, lacking: readonly Origin[]): Promise<void> {
    const { manifest, host, epoch, litestream, env, log } = this.#options;
    for (const { database, lack } of lacking)
      log.warn("storage cannot restore a database; a whole image is sent", { database: database.name, why: lack });
    await process.child.stop();
    for (const origin of lacking) origin.forget(this.#options.clock());
    await this.#liftOverHoles(lacking);
    const databases = new Set(lacking.map(({ database }) => database));
    // With the socket and the port of the process that does not run meanwhile: those of the others are taken.
    const config = renderConfigs(manifest, host, { epoch, only: (one) => databases.has(one) }).find(
      (one) => one.process === process.config.process,
    );
    if (!config || this.#stopped) return;
    const file = join(configsFolder(host), `whole-${process.config.name}`);
    writeWhole(file, config.text);
    const words = [...replicateWords(file), "-once", "-force-snapshot"];
    const { exit, stderr } = await runLitestream(litestream, words, {
      env,
      timeout: HEAL,
      signal: this.#ending.signal,
    });
    // Its word is no proof: the next listings are.
    log.info("Litestream has ended its run for whole images", {
      exit,
      ...(exit !== 0 && { said: stderr.slice(-500) }),
    });
    for (const origin of process.origins) origin.restarted();
    for (const origin of lacking) origin.healed();
  }

  /** A whole image is worth more than tidy levels: where that fails, the image is sent all the same. */
  async #liftOverHoles(lacking: readonly Origin[]): Promise<void> {
    const { storage, epoch, log } = this.#options;
    const prefix = epochPrefix(epoch);
    for (const { database } of lacking)
      try {
        const files = filesByReplica(await storage.list(`${prefix}${database.name}/`), prefix).get(database.name);
        const lifted = await liftOver(storage, files ?? []);
        if (lifted > 0) log.info("files before a hole are on the top level too", { database: database.name, lifted });
      } catch (error) {
        log.warn("a hole is still in the way of compaction", { database: database.name, reason: sentenceOf(error) });
      }
  }

  /** Starts the Litestream of a database anew, unless it still sends something or that was done a moment ago. */
  async remedy(name: string, reason: string): Promise<void> {
    const process = this.#processes.find(({ origins }) => origins.some(({ database }) => database.name === name));
    if (process && !process.healing && this.#options.monotonic() - process.movedAt > STUCK)
      await this.#restart(process, reason);
  }

  get children(): readonly WatchedChild[] {
    return this.#processes.map(({ child }) => ({ report: child.report, diedAgo: child.diedAgo }));
  }

  get databases(): readonly WatchedDatabase[] {
    return this.#origins.map((origin) => ({
      database: origin.database,
      report: origin.report,
      behindSince: null,
      working: false,
      beatTrouble: origin.beatTrouble,
      beatenAt: origin.beatenAt,
    }));
  }

  /** What must outlive the agent. */
  keep(): void {
    const { state, epoch } = this.#options;
    state.keep(
      this.#origins.flatMap(({ database: { name }, known }) =>
        Object.entries(known).map(([key, value]) => ({ name, kind: kindOf(key, epoch), value })),
      ),
    );
    for (const { child } of this.#processes) child.tidy();
  }

  /**
   * Ends every Litestream, all at once, each with time to send what it holds.
   * @param flush how long that may take; 0: another one writes the replicas, and nothing more is sent.
   */
  async stop(flush?: Millis): Promise<void> {
    this.#stopped = true;
    this.#ending.abort();
    const ended = this.#processes.map(({ child }) => child.stop(flush));
    await Promise.all(this.#healings);
    for (const origin of this.#origins) origin.close();
    await Promise.all(ended);
  }

  #beat(): void {
    const { epoch, clock, monotonic } = this.#options;
    for (const [at, origin] of this.#origins.entries()) {
      const first = origin.report.committed?.beat == null;
      const result = origin.beat(epoch, clock, monotonic());
      if (result?.kind === "written" && first) origin.spread(monotonic(), 0.5 + at / (2 * this.#origins.length));
    }
  }

  async #look(process: Process): Promise<void> {
    const { clock } = this.#options;
    if (process.healing) return;
    // All of them are to be looked at, so not `some`.
    const replaced = process.origins.filter((origin) => origin.look() && !origin.isHeld);
    const released = process.origins.filter((origin) => origin.release());
    if (released.length > 0) {
      for (const { database } of released) this.#options.log.info("is sent again", { database: database.name });
      return this.#takeUp(released);
    }
    const claims = await askLitestream(process.config.socket).catch(() => null);
    const byPath = new Map(claims?.map((claim) => [claim.path, claim]));
    for (const origin of process.origins) origin.claimed(byPath.get(origin.file) ?? null, clock());
    this.#tellObstacles(process, claims !== null);
    if (replaced.length > 0) {
      const names = replaced.map(({ database }) => database.name).join(", ");
      await this.#restart(process, `another file is in the place of ${names}`, replaced);
    } else if (process.origins.some(({ blind }) => blind)) {
      await this.#restart(process, "it does not see what is committed");
    }
  }

  /** Why what waits does: Litestream does not answer, or its log has an error of since then. */
  #tellObstacles({ origins, child }: Process, answers: boolean): void {
    const now = this.#options.clock();
    const waiting = new Map(origins.map((origin) => [origin, origin.pending?.since ?? now]));
    const isAnyLate = [...waiting.values()].some((since) => now - since > WAITS);
    const complaints = isAnyLate && answers ? lastComplaints(child.spec.logFile) : null;
    for (const [origin, since] of waiting) {
      const complaint = complaints?.get(basename(origin.file));
      const said = complaint && complaint.at >= since - WAITS ? `Litestream: ${brief(complaint.message)}` : null;
      origin.obstructed(isAnyLate && !answers ? "Litestream does not answer" : said);
    }
  }

  /** Storage takes what is written again. After errors Litestream waits for longer and longer before it tries: a new one tries at once. */
  async storageIsBack(): Promise<void> {
    const kept = this.#processes.filter(({ origins }) => origins.some(({ pending }) => pending?.why != null));
    await Promise.all(kept.map((process) => this.#restart(process, "storage takes what is written again")));
  }

  /** @param replaced files that Litestream has never seen: begun anew with a whole image, and at once. */
  async #restart(process: Process, reason: string, replaced: readonly Origin[] = []): Promise<void> {
    // Another host may write by now: a look or a remedy that began before the end starts nothing after it. Nor while a Litestream of
    // its own sends whole images, which began while this look waited for an answer: two would write one replica.
    if (this.#stopped || process.healing || process.origins.every(({ isHeld }) => isHeld)) return;
    const { monotonic, log } = this.#options;
    if (replaced.length === 0 && monotonic() - process.restartedAt < RESTART_PAUSE) return;
    process.restartedAt = monotonic();
    log.warn("Litestream is started anew", { child: process.child.spec.name, reason });
    try {
      await process.child.restart(() => {
        for (const origin of replaced) origin.forget(this.#options.clock());
        this.#write(process);
      });
    } catch (error) {
      log.error("Litestream could not be started anew", { reason: sentenceOf(error) });
    }
    for (const origin of process.origins) origin.restarted();
  }

  #childOf(config: LitestreamConfig): Child {
    const { host, litestream, env } = this.#options;
    const name = config.name.replace(/\.yml$/, "");
    const file = join(configsFolder(host), config.name);
    const command = [litestream, ...replicateWords(file)] as const;
    return new Child({ name, command, env, logFile: join(host.state, "log", `${name}.log`) }, this.#options);
  }
}

/** What storage has is of one epoch; all else is of the file. */
function kindOf(key: string, epoch: number): string {
  return key === "shipped" ? `shipped e${epoch}` : key;
}

/** Never half a file, whenever the agent is killed. */
function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
