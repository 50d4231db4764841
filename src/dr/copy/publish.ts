import { constants, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { chmod, copyFile, open } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Head } from "../report.ts";
import type { Checker } from "./check.ts";
import { syncFolder } from "./durable.ts";
import type { OwnFile } from "./own-file.ts";
import { clearBeside, putAside } from "./put-aside.ts";
import { Slots } from "./slots.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** One database is published for at most a fifth of the time; all of them together for at most a third. */
const OWN_REST = 4;
const COMMON_REST = 2;

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

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** From here on nothing is put into the readers' place, not even what waits for its turn: this host may be the primary next. */
  close(): void {
    this.#closed = true;
  }

  /** Waits for its turn and until it is done, not for the rest that follows. */
  publish(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#isDue()) void turns.run(() => this.#turn().then(...told(resolve, reject)));
    else resolve();
    return promise;
  }

  /** @returns how long to rest: the others wait as well. */
  async #turn(): Promise<Millis> {
    if (!this.#isDue()) return 0;
    const began = monotonic();
    try {
      await this.#publish();
    } finally {
      this.#next = monotonic() + (monotonic() - began) * OWN_REST;
    }
    return (monotonic() - began) * COMMON_REST;
  }

  #isDue(): boolean {
    if (this.#closed) return false;
    const { working, published } = this.#options;
    const { applied, published: before } = working.state;
    const isNew = applied !== before?.txid || !existsSync(published);
    return applied > 0 && isNew && monotonic() >= this.#next;
  }

  async #publish(): Promise<void> {
    const { published, working, checker, clock, onStep } = this.#options;
    const next = `${published}.next`;
    mkdirSync(dirname(published), { recursive: true });
    onStep?.("clone");
    const head = await working.exclusively(async () => {
      rmSync(next, { force: true });
      if (working.head.txid === 0) return null;
      await copyFile(working.path, next, constants.COPYFILE_FICLONE);
      return { ...working.head, seenAt: clock() };
    });
    if (!head) return;
    try {
      await makeReadable(next);
      onStep?.("check clone");
      const { problems, beat } = await checker.check(next, { mode: "quick" });
      if (this.#closed) return;
      if (problems.length > 0) await working.suspect(`The working copy is no sound database: ${problems[0]}.`);
      else this.#swapIn(next, { ...head, beat });
    } finally {
      rmSync(next, { force: true });
    }
  }

  /**
   * Who has the old one open keeps it. What lies beside it would be taken for the new one's log. A file that was not published from
   * here is a database of its own: it is never replaced, only put aside.
   */
  #swapIn(next: string, head: Head): void {
    const { published, databases, own, working, onPutAside, onStep } = this.#options;
    onStep?.("publish");
    const epoch = working.state.replica.split("/")[0] ?? "";
    const aside = putAside({ databases, file: published, isOurs: own.isAt(published), epoch });
    if (aside !== null) onPutAside?.(aside);
    clearBeside(published);
    own.coming(next, published);
    renameSync(next, published);
    syncFolder(dirname(published));
    onStep?.("published");
    working.update({ published: head });
  }
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

/**
 * Says in the header that there is no write-ahead log, so that readers need no file beside it and no right to make one, and
 * takes away the right to write. Journal mode is two bytes (sqlite.org/fileformat2.html, 1.3); all others are the working
 * copy's.
 */
async function makeReadable(path: string): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, "r+");
  try {
    await file.write(new Uint8Array([1, 1]), 0, 2, 18);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, 0o444);
}
