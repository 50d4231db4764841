import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import { LtxDamage } from "../ltx/damage.ts";
import { type LtxFile, newestTxid, SNAPSHOT_LEVEL } from "../ltx/name.ts";
import { LtxHole, planTo } from "../ltx/plan.ts";
import type { Beat, DatabaseReport } from "../report.ts";
import { buildDatabase } from "../restore/build.ts";
import type { Storage } from "../storage/storage.ts";
import { applyBatch } from "./apply.ts";
import type { Checker } from "./check.ts";
import { syncFolder } from "./durable.ts";
import { isBroken, settle } from "./settle.ts";
import { Slots } from "./slots.ts";
import { type CopyState, readState, writeState } from "./state.ts";

/** Bytes of storage that one batch reads at most, where it is more than one file. */
const BATCH = 32 * 1024 * 1024;
/** After a restore that did not work out: it costs much, and storage seldom heals within seconds. */
const PATIENCE: Millis = 30_000;
/** Copies that were put aside, kept for who wants to know why. */
const KEPT = 2;

/** What bounds the memory of all copies together: each reads a few megabytes ahead. */
const batches = new Slots(6);
const seeds = new Slots(2);

export interface WorkingCopyOptions {
  readonly name: string;
  readonly work: string;
  readonly storage: Storage;
  readonly clock: () => Millis;
  readonly checker: Checker;
  readonly onStep: (step: string) => void;
}

/** The copy that follows. Between two calls it is a whole database without a log, which may be cloned. */
export class WorkingCopy {
  readonly path: string;
  readonly #options: WorkingCopyOptions;
  readonly #statePath: string;
  #state: CopyState;
  #beat: Beat | null = null;
  #status: DatabaseReport["state"] = "missing";
  #note: string | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #patientUntil: Millis = 0;
  readonly #bad = new Set<string>();
  /** After which transaction the last listing broke off. */
  #hole: number | null = null;

  constructor(options: WorkingCopyOptions) {
    this.#options = options;
    mkdirSync(options.work, { recursive: true, mode: 0o700 });
    this.path = join(options.work, options.name);
    this.#statePath = `${this.path}.state.json`;
    this.#state = readState(this.#statePath);
    this.#recover();
  }

  get state(): CopyState {
    return this.#state;
  }

  follow(files: readonly LtxFile[]): Promise<void> {
    return this.exclusively(() => this.#follow(files));
  }

  /** Runs `work` while nothing changes the copy. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async idle(): Promise<void> {
    await this.#turn;
  }

  /** A clone of this copy is no sound database: it is put aside, and the next `follow` makes it anew. */
  suspect(finding: string): Promise<void> {
    return this.exclusively(async () => this.#quarantine(finding));
  }

  update(change: Partial<CopyState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.#statePath, this.#state);
  }

  report(): Pick<DatabaseReport, "applied" | "state" | "reseeds" | "note"> {
    const { applied, time, reseeds } = this.#state;
    return {
      // Nobody else changes the copy: what it has is known now.
      applied: applied === 0 ? null : { txid: applied, beat: this.#beat, time, seenAt: this.#options.clock() },
      state: this.#status,
      reseeds,
      note: this.#note,
    };
  }

  /** What is known of the copy's content now. */
  get head(): { readonly txid: number; readonly beat: Beat | null; readonly time: Millis | null } {
    return { txid: this.#state.applied, beat: this.#beat, time: this.#state.time };
  }

  /** Finishes what a crash broke off. */
  #recover(): void {
    for (const leftover of ["-wal.next", ".seed", ".rewrite"]) rmSync(this.path + leftover, { force: true });
    if (this.#state.applied === 0) return;
    if (!existsSync(this.path)) {
      this.#forget();
      return;
    }
    try {
      this.#beat = settle(this.path).beat;
      this.#status = "ok";
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#quarantine(`The working copy is broken: ${(error as Error).message}.`);
    }
  }

  async #follow(files: readonly LtxFile[]): Promise<void> {
    const newest = newestTxid(files);
    const [first] = files;
    if (!first) {
      this.#note = `Storage has nothing of ${this.#options.name}.`;
      return;
    }
    const replica = first.key.slice(0, first.key.indexOf("/ltx/"));
    this.#recoverLog();
    this.#distrust(replica, newest);
    while (!(await this.#attempt(files, replica, newest)));
  }

  /** @returns false when another attempt is worth it. */
  async #attempt(files: readonly LtxFile[], replica: string, newest: number): Promise<boolean> {
    const usable = files.filter((file) => !this.#bad.has(identity(file)));
    try {
      if (this.#state.applied === 0) await seeds.run(() => this.#seed(usable, replica, newest));
      else await batches.run(() => this.#forward(usable, newest, newestTxid(files.filter(isChange))));
      return true;
    } catch (error) {
      return this.#remember(error, files);
    }
  }

  /** A failed batch, a full disk say, may have left its log in place: it comes first. */
  #recoverLog(): void {
    if (this.#state.applied > 0 && existsSync(`${this.path}-wal`)) this.#settle();
  }

  #distrust(replica: string, newest: number): void {
    const { applied, target, replica: before } = this.#state;
    if (applied === 0) return;
    if (replica !== before) this.#quarantine(`Storage goes on in ${replica} instead of ${before}.`);
    else if (newest < target) this.#quarantine(`Storage went back from transaction ${target} to ${newest}.`);
  }

  /** @returns false when another way may be there: without the file that is damaged, or from the beginning. */
  #remember(error: unknown, files: readonly LtxFile[]): boolean {
    const isDamage = error instanceof LtxDamage;
    const damaged = isDamage && files.find(({ key }) => key === error.key);
    if (damaged) {
      this.#bad.add(identity(damaged));
      this.#note = error.message;
      return false;
    }
    if (!isDamage && !isBroken(error)) throw error;
    if (this.#state.applied > 0) {
      this.#quarantine((error as Error).message);
      return false;
    }
    this.#giveUp((error as Error).message);
    return true;
  }

  /** @param last the newest change. Litestream may send a snapshot before the changes that it ends with: they come, or a hole will show. */
  async #forward(files: readonly LtxFile[], newest: number, last: number): Promise<void> {
    const { applied, target } = this.#state;
    const changes = files.filter(isChange);
    const plan = planTo(changes, applied, last);
    if (plan.kind === "way") {
      await this.#applyAll(plan.files);
      if (this.#bad.size === 0) this.#note = null;
      this.#hole = null;
      this.#status = "ok";
      return;
    }
    const nearer = planTo(changes, applied, plan.after);
    if (nearer.kind === "way" && plan.after >= target) await this.#applyAll(nearer.files);
    const { message } = new LtxHole(this.#options.name, plan);
    const seenBefore = this.#hole === plan.after;
    this.#hole = plan.after;
    this.#note = message;
    // Files may have been compacted and removed while they were listed: what a second listing lacks too is not there.
    if (!seenBefore) return;
    this.#status = "damaged";
    if (planTo(files, 0, newest).kind === "hole") return;
    this.#quarantine(message);
    await seeds.run(() => this.#seed(files, this.#state.replica, newest));
  }

  async #applyAll(files: readonly LtxFile[]): Promise<void> {
    let batch: LtxFile[] = [];
    for (const file of files) {
      batch.push(file);
      const bytes = batch.reduce((sum, { size }) => sum + size, 0);
      if (bytes < BATCH && file !== files.at(-1)) continue;
      // After a crash the copy may hold the last batch already: less than that would take pages of it back.
      if (file.max < this.#state.target) continue;
      await this.#apply(batch);
      batch = [];
    }
  }

  async #apply(files: readonly LtxFile[]): Promise<void> {
    const { storage, onStep } = this.#options;
    const target = files.reduce((most, { max }) => Math.max(most, max), 0);
    onStep("intent");
    this.update({ target: Math.max(target, this.#state.target) });
    const { time } = await applyBatch({ path: this.path, storage, files, onStep, settle: () => this.#settle() });
    onStep("applied");
    this.update({ applied: target, target, time });
  }

  #settle(): number {
    const { frames, beat } = settle(this.path);
    this.#beat = beat;
    return frames;
  }

  async #seed(files: readonly LtxFile[], replica: string, newest: number): Promise<void> {
    const { name, storage, checker, clock, onStep } = this.#options;
    if (clock() < this.#patientUntil) return;
    const plan = planTo(files, 0, newest);
    if (plan.kind === "hole") {
      this.#giveUp(new LtxHole(name, plan).message);
      return;
    }
    if (this.#status !== "quarantined") this.#status = "seeding";
    const seed = `${this.path}.seed`;
    rmSync(seed, { force: true });
    onStep("seed");
    const { max, time } = await buildDatabase(storage, plan.files, seed);
    onStep("check");
    const { problems, beat } = await checker.check(seed, { mode: "quick" });
    if (problems.length > 0) {
      rmSync(seed, { force: true });
      this.#giveUp(`What storage has of ${name} is no sound database: ${problems[0]}.`);
      return;
    }
    this.#swapIn(seed);
    this.#beat = beat;
    this.#status = "ok";
    if (this.#bad.size === 0 && this.#state.reseeds === 0) this.#note = null;
    onStep("seeded");
    this.update({ replica, applied: max, target: max, time });
  }

  /** The old log goes before the new file comes: SQLite would apply it to that one. */
  #swapIn(seed: string): void {
    const { onStep } = this.#options;
    this.#forget();
    onStep("swap");
    for (const sidecar of ["-wal", "-shm", "-journal"]) rmSync(this.path + sidecar, { force: true });
    renameSync(seed, this.path);
    syncFolder(this.#options.work);
  }

  /** From here on, and after a crash, the copy is worth nothing. */
  #forget(): void {
    if (this.#state.applied === 0 && this.#state.target === 0) return;
    this.update({ applied: 0, target: 0, time: null });
  }

  /** Puts the copy aside, with its log, and keeps the newest two. Readers go on with what was published. */
  #quarantine(why: string): void {
    const { clock, onStep, work, name } = this.#options;
    onStep("quarantine");
    this.update({ applied: 0, target: 0, time: null, reseeds: this.#state.reseeds + 1, why });
    const aside = `${this.path}.quarantined-${clock()}`;
    if (existsSync(this.path)) renameSync(this.path, aside);
    if (existsSync(`${this.path}-wal`)) renameSync(`${this.path}-wal`, `${aside}-wal`);
    const kept = readdirSync(work).filter(
      (entry) => entry.startsWith(`${name}.quarantined-`) && !entry.endsWith("-wal"),
    );
    for (const old of kept.sort().slice(0, -KEPT))
      for (const sidecar of ["", "-wal"]) rmSync(join(work, old + sidecar), { force: true });
    syncFolder(work);
    this.#beat = null;
    this.#status = "quarantined";
    this.#note = why;
  }

  /** Not now: what is in the way is said, and looked at again in a while, with every file given another chance. */
  #giveUp(why: string): void {
    this.#patientUntil = this.#options.clock() + PATIENCE;
    this.#bad.clear();
    if (this.#status !== "quarantined") this.#status = "damaged";
    this.#note = why;
  }
}

function isChange({ level }: LtxFile): boolean {
  return level !== SNAPSHOT_LEVEL;
}

/** One file at one time: Litestream may write a new one under the same name. */
function identity({ key, size, time }: LtxFile): string {
  return `${key} ${size} ${time}`;
}
