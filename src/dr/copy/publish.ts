import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { DatabaseReport } from "../report.ts";
import { type Checker, inOneLine } from "./check.ts";
import { makeClone } from "./clone.ts";
import { syncFolder } from "./durable.ts";
import { wentBack, wouldGoBack } from "./order.ts";
import type { OwnFile, Published } from "./own-file.ts";
import { clearBeside, putAside } from "./put-aside.ts";
import { Slots } from "./slots.ts";
import type { WorkingCopy } from "./working-copy.ts";

/**
 * One database is published for at most a third of the time; all of them together for at most two thirds, most of which is waiting
 * for the disk: what readers have is as old as this makes it when all of them change all the time.
 */
const OWN_REST = 2;
const COMMON_REST = 0.5;

/** One after the other: each copies and reads a whole file. */
const turns = new Slots(1);

export interface PublisherOptions {
  readonly published: string;
  /** The folder of all published files. */
  readonly databases: string;
  /** Knows which file in that place is ours. */
  readonly own: OwnFile;
  /** Told where a file went that was not ours. */
  readonly onPutAside?: (folder: string) => void;
  /** Told when readers got something older than they had, because storage itself went back. */
  readonly onWentBack?: (how: string) => void;
  readonly working: WorkingCopy;
  readonly checker: Checker;
  readonly clock: () => Millis;
  readonly onStep?: (step: string) => void;
}

/** Gives readers checked copies. */
export class Publisher {
  readonly #options: PublisherOptions;
  #next: Millis = 0;
  #closed = false;
  #behindSince: Millis | null = null;
  #trouble: string | null = null;
  #lasted: Millis = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** From here on nothing is put into the readers' place, not even what waits for its turn: this host may be the primary next. */
  close(): void {
    this.#closed = true;
  }

  /** Since when readers lack something that the working copy has, what is in the way, and how long it took the last time. */
  get readers(): NonNullable<DatabaseReport["readers"]> {
    return { behindSince: this.#behindSince, trouble: this.#trouble, lasted: this.#lasted };
  }

  /** Waits for its turn and until it is done, not for the rest that follows. */
  publish(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#look();
    if (this.#isDue()) void turns.run(() => this.#turn().then(...told(resolve, reject)));
    else resolve();
    return promise;
  }

  /** @returns how long to rest: the others wait as well. */
  async #turn(): Promise<Millis> {
    if (!this.#isDue()) return 0;
    const began = monotonic();
    try {
      const didWork = await this.#publish();
      this.#look();
      if (!didWork) return 0;
      this.#lasted = Math.round(monotonic() - began);
      return this.#lasted * COMMON_REST;
    } catch (error) {
      if (!this.#closed) this.#trouble = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      this.#next = monotonic() + (monotonic() - began) * OWN_REST;
    }
  }

  #isDue(): boolean {
    return !this.#closed && this.#isNew() && monotonic() >= this.#next;
  }

  /** A transaction's number alone does not tell: storage that went back counts the same ones again. */
  #isNew(): boolean {
    const { working, published, own } = this.#options;
    const { applied, time } = working.state;
    const before = own.publishedAt(published);
    return applied > 0 && (applied !== before?.txid || time !== before.time || !existsSync(published));
  }

  /** Notes since when readers lack something. A copy that is being made anew has nothing that they could lack. */
  #look(): void {
    if (this.#isNew()) this.#behindSince ??= this.#options.clock();
    else if (this.#options.working.state.applied > 0) {
      this.#behindSince = null;
      this.#trouble = null;
    }
  }

  /** @returns whether there was anything to do now. */
  async #publish(): Promise<boolean> {
    const { published, working, checker, onStep } = this.#options;
    const next = `${published}.next`;
    if (this.#refuses({ ...working.head, replica: working.state.replica })) return false;
    mkdirSync(dirname(published), { recursive: true });
    onStep?.("clone");
    try {
      const clone = await this.#clone(next);
      if (!clone) return false;
      onStep?.("check clone");
      const { problems, beat } = await checker.check(next, { mode: "quick" });
      if (this.#closed) return true;
      if (problems.length > 0) await this.#blame(inOneLine(problems));
      else this.#offer(next, { ...clone, beat });
      return true;
    } finally {
      rmSync(next, { recursive: true, force: true });
    }
  }

  /** Whether readers would go back in time by it; then that is said. */
  #refuses(clone: Pick<Published, "replica" | "txid" | "beat">): boolean {
    const { own, published, working } = this.#options;
    const why = wouldGoBack(clone, own.publishedAt(published), working.listed);
    if (why !== null) this.#trouble = `The working copy is older than what readers have: ${why}.`;
    return why !== null;
  }

  /** @returns null when the copy is worth nothing, or at work: one that waits for storage keeps no other from its readers. */
  #clone(next: string): Promise<Published | null> {
    const { working, clock } = this.#options;
    return unlessBusy(working, async () => {
      if (this.#closed || working.head.txid === 0) return null;
      rmSync(next, { recursive: true, force: true });
      await makeClone(working.path, next);
      return { ...working.head, replica: working.state.replica, seenAt: clock() };
    });
  }

  /** A clone is no sound database: the copy is to blame, unless it is sound, and then the readers' disk is. */
  async #blame(finding: string): Promise<void> {
    const { working, checker } = this.#options;
    const isSound = await working.exclusively(async () => {
      const { problems } = await checker.check(working.path, { mode: "quick" });
      if (problems.length > 0) working.quarantine(`The working copy is no sound database: ${inOneLine(problems)}.`);
      return problems.length === 0;
    });
    if (isSound) throw new Error(`A clone of the sound working copy is no sound database: ${finding}`);
  }

  #offer(next: string, clone: Published): void {
    if (this.#refuses(clone)) return;
    const { own, published, working, onWentBack } = this.#options;
    const how = wentBack(clone, own.publishedAt(published));
    this.#swapIn(next, clone);
    this.#trouble = null;
    // What came after the clone was made came after this moment.
    this.#behindSince = clone.txid === working.state.applied ? null : clone.seenAt;
    if (how !== null) onWentBack?.(how);
  }

  /**
   * Who has the old one open keeps it. What lies beside it would be taken for the new one's log. A file that was not published from
   * here is a database of its own: it is never replaced, only put aside.
   */
  #swapIn(next: string, clone: Published): void {
    const { published, databases, own, onPutAside, onStep } = this.#options;
    onStep?.("publish");
    const epoch = clone.replica.split("/")[0] ?? "";
    const aside = putAside({ databases, file: published, isOurs: own.isAt(published), epoch });
    if (aside !== null) onPutAside?.(aside);
    clearBeside(published);
    own.coming(next, published, clone);
    onStep?.("swap in");
    renameSync(next, published);
    syncFolder(dirname(published));
    onStep?.("published");
  }
}

/** How long one waits for a copy that is at work: most changes take less. */
const BUSY: Millis = 500;

/** Does something with a copy that nobody changes meanwhile. @returns null when it stays busy for too long. */
async function unlessBusy<T>(working: WorkingCopy, work: () => Promise<T | null>): Promise<T | null> {
  let isLate = false;
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => {
    isLate = true;
    late.resolve(null);
  }, BUSY);
  const done = working.exclusively(async () => {
    clearTimeout(timer);
    return isLate ? null : work();
  });
  return Promise.race([done, late.promise]).finally(() => clearTimeout(timer));
}

/** Tells the caller, then rests. */
function told(resolve: () => void, reject: (error: unknown) => void) {
  return [
    (rest: Millis): Promise<void> => {
      resolve();
      return sleep(rest, undefined, { ref: false });
    },
    reject,
  ] as const;
}
