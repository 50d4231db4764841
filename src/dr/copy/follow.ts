import type { Millis } from "@alai/core";
import { LtxDamage } from "../ltx/damage.ts";
import { type LtxFile, newestTxid, SNAPSHOT_LEVEL } from "../ltx/name.ts";
import { LtxHole, planTo } from "../ltx/plan.ts";
import type { Storage } from "../storage/storage.ts";
import { applyBatch } from "./apply.ts";
import type { Checker } from "./check.ts";
import { seedCopy } from "./seed.ts";
import { isBroken } from "./settle.ts";
import { Slots } from "./slots.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** Bytes of storage that one batch reads at most, where it is more than one file. */
const BATCH = 32 * 1024 * 1024;
/** After a restore that did not work out: it costs much, and storage seldom heals within seconds. */
const PATIENCE: Millis = 30_000;

/** What bounds the memory of all copies together: each reads a few megabytes ahead. */
const batches = new Slots(6);
const seeds = new Slots(2);

export interface FollowingOptions {
  readonly name: string;
  readonly copy: WorkingCopy;
  readonly storage: Storage;
  readonly clock: () => Millis;
  readonly checker: Checker;
}

/** Brings a working copy forward by what listings have: which files, in which order, and what to do where they make no way. */
export class Following {
  readonly #options: FollowingOptions;
  #patientUntil: Millis = 0;
  readonly #bad = new Set<string>();
  /** After which transaction the last listing broke off. */
  #hole: number | null = null;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  follow(files: readonly LtxFile[]): Promise<void> {
    return this.#options.copy.exclusively(() => this.#follow(files));
  }

  async #follow(files: readonly LtxFile[]): Promise<void> {
    const { copy, name } = this.#options;
    const newest = newestTxid(files);
    const [first] = files;
    if (!first) {
      copy.say(`Storage has nothing of ${name}.`);
      return;
    }
    copy.listed = newest;
    const replica = first.key.slice(0, first.key.indexOf("/ltx/"));
    copy.settleWhatIsLeft();
    this.#distrust(replica, newest);
    while (!(await this.#attempt(files, replica, newest)));
  }

  /** @returns false when another attempt is worth it. */
  async #attempt(files: readonly LtxFile[], replica: string, newest: number): Promise<boolean> {
    const usable = files.filter((file) => !this.#bad.has(identity(file)));
    try {
      if (this.#options.copy.state.applied === 0) await this.#seed(usable, replica, newest);
      else await this.#forward(usable, newest, newestTxid(files.filter(isChange)));
      return true;
    } catch (error) {
      return this.#remember(error, files);
    }
  }

  #distrust(replica: string, newest: number): void {
    const { copy } = this.#options;
    const { applied, target, replica: before } = copy.state;
    if (applied === 0) return;
    if (replica !== before) copy.quarantine(`Storage goes on in ${replica} instead of ${before}.`);
    else if (newest < target) copy.quarantine(`Storage went back from transaction ${target} to ${newest}.`);
  }

  /** @returns false when another way may be there: without the file that is damaged, or from the beginning. */
  #remember(error: unknown, files: readonly LtxFile[]): boolean {
    const { copy } = this.#options;
    const isDamage = error instanceof LtxDamage;
    const damaged = isDamage && files.find(({ key }) => key === error.key);
    if (damaged) {
      this.#bad.add(identity(damaged));
      copy.say(error.message);
      return false;
    }
    if (!isDamage && !isBroken(error)) throw error;
    if (copy.state.applied > 0) {
      copy.quarantine((error as Error).message);
      return false;
    }
    this.#postpone((error as Error).message, isDamage);
    return true;
  }

  /** @param last the newest change. Litestream may send a snapshot before the changes that it ends with: they come, or a hole will show. */
  async #forward(files: readonly LtxFile[], newest: number, last: number): Promise<void> {
    const { copy, name } = this.#options;
    const { applied, target, replica } = copy.state;
    const changes = files.filter(isChange);
    const plan = planTo(changes, applied, last);
    if (plan.kind === "way") {
      await this.#applyAll(plan.files);
      if (this.#bad.size === 0) copy.say(null);
      this.#hole = null;
      copy.isWell();
      return;
    }
    const nearer = planTo(changes, applied, plan.after);
    if (nearer.kind === "way" && plan.after >= target) await this.#applyAll(nearer.files);
    const { message } = new LtxHole(name, plan);
    const seenBefore = this.#hole === plan.after;
    this.#hole = plan.after;
    copy.say(message);
    // Files may have been compacted and removed while they were listed: what a second listing lacks too is not there.
    if (!seenBefore) return;
    copy.say(message, "damaged");
    if (planTo(files, 0, newest).kind === "hole") return;
    copy.quarantine(message);
    await this.#seed(files, replica, newest);
  }

  async #applyAll(files: readonly LtxFile[]): Promise<void> {
    let batch: LtxFile[] = [];
    for (const file of files) {
      batch.push(file);
      const bytes = batch.reduce((sum, { size }) => sum + size, 0);
      if (bytes < BATCH && file !== files.at(-1)) continue;
      // After a crash the copy may hold the last batch already: less than that would take pages of it back.
      if (file.max < this.#options.copy.state.target) continue;
      await this.#slot(batches, () => this.#apply(batch));
      batch = [];
    }
  }

  async #apply(files: readonly LtxFile[]): Promise<void> {
    const { storage, copy } = this.#options;
    const target = files.reduce((most, { max }) => Math.max(most, max), 0);
    copy.step("intent");
    copy.update({ target: Math.max(target, copy.state.target) });
    const onStep = (step: string) => copy.step(step);
    const { time } = await applyBatch({ path: copy.path, storage, files, onStep, settle: () => copy.settle() });
    copy.step("applied");
    copy.update({ applied: target, target, time });
  }

  async #seed(files: readonly LtxFile[], replica: string, newest: number): Promise<void> {
    const { name, copy, storage, checker, clock } = this.#options;
    if (clock() < this.#patientUntil) return;
    const cannot = await this.#slot(seeds, () => seedCopy({ name, copy, storage, checker, files, replica, newest }));
    // Files may be compacted while they are listed: that there is no way is for who lists to say.
    if (cannot !== null) this.#postpone(cannot, planTo(files, 0, newest).kind === "way");
    else if (this.#bad.size === 0 && copy.state.reseeds === 0) copy.say(null);
  }

  /** A copy that was given up keeps no other one out: what it waits for may never come. */
  #slot<T>(slots: Slots, work: () => Promise<T>): Promise<T> {
    return slots.run(() => this.#options.copy.unlessGivenUp(work));
  }

  /**
   * Not now: what is in the way is said, and looked at again in a while, with every file given another chance.
   * @param isUnsound what storage has was restored, and is no sound database.
   */
  #postpone(why: string, isUnsound: boolean): void {
    this.#patientUntil = this.#options.clock() + PATIENCE;
    this.#bad.clear();
    this.#options.copy.isLacking(why, isUnsound);
  }
}

function isChange({ level }: LtxFile): boolean {
  return level !== SNAPSHOT_LEVEL;
}

/** One file at one time: Litestream may write a new one under the same name. */
function identity({ key, size, time }: LtxFile): string {
  return `${key} ${size} ${time}`;
}
