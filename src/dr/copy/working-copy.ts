import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import type { Beat, DatabaseReport } from "../report.ts";
import { syncFolder } from "./durable.ts";
import { GivenUp } from "./given-up.ts";
import { putInQuarantine } from "./quarantine.ts";
import { isBroken, settle } from "./settle.ts";
import { type CopyState, readState, writeState } from "./state.ts";

export interface WorkingCopyOptions {
  readonly name: string;
  readonly work: string;
  readonly clock: () => Millis;
  readonly onStep: (step: string) => void;
}

/**
 * The file that follows, and what is known of it. Between two turns it is a whole database without a log, which may be cloned.
 * Nothing but a turn changes it, and nothing at all once it was given up.
 */
export class WorkingCopy {
  readonly path: string;
  /** The newest transaction of the last listing; null: none has come yet. */
  listed: number | null = null;
  readonly #options: WorkingCopyOptions;
  readonly #statePath: string;
  readonly #givenUp = new GivenUp();
  #state: CopyState;
  #beat: Beat | null = null;
  #status: DatabaseReport["state"] = "missing";
  #note: string | null = null;
  #unsound: string | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /** Lets SQLite finish what a crash broke off. Throws where the place, or what is in it, cannot be used. */
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

  get isGivenUp(): boolean {
    return this.#givenUp.isSo;
  }

  /** Runs `work` while nothing else changes the copy. Throws at once when the copy is given up, however long `work` hangs. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.unlessGivenUp(work));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** What `work` gives; throws as soon as the copy is given up. */
  unlessGivenUp<T>(work: () => Promise<T>): Promise<T> {
    return this.#givenUp.orElse(work);
  }

  async idle(): Promise<void> {
    await this.#turn;
  }

  /** From the call on it changes nothing any more, neither itself nor what is known of it: another one may be in its place. */
  giveUp(): void {
    this.#givenUp.now();
  }

  /** Comes before whatever changes files. Throws when the copy was given up meanwhile. */
  step(name: string): void {
    this.#givenUp.mustNotBe();
    this.#options.onStep(name);
  }

  update(change: Partial<CopyState>): void {
    this.#givenUp.mustNotBe();
    this.#state = { ...this.#state, ...change };
    writeState(this.#statePath, this.#state);
  }

  report(): Pick<DatabaseReport, "applied" | "state" | "reseeds" | "note" | "unsound"> {
    const { applied, time, reseeds } = this.#state;
    return {
      // Nobody else changes the copy: what it has is known now.
      applied: applied === 0 ? null : { txid: applied, beat: this.#beat, time, seenAt: this.#options.clock() },
      state: this.#status,
      reseeds,
      note: this.#note,
      unsound: this.#unsound,
    };
  }

  /** What is known of the copy's content now. */
  get head(): { readonly txid: number; readonly beat: Beat | null; readonly time: Millis | null } {
    return { txid: this.#state.applied, beat: this.#beat, time: this.#state.time };
  }

  /** @param note null: nothing is to be said any more. */
  say(note: string | null, status?: DatabaseReport["state"]): void {
    this.#note = note;
    if (status) this.#status = status;
  }

  isWell(): void {
    this.#status = "ok";
  }

  /** One that was put aside stays so until the fresh one is there. */
  isSeeding(): void {
    if (this.#status !== "quarantined") this.#status = "seeding";
  }

  /** The copy cannot be made for now. @param isUnsound what storage has of it is to blame. */
  isLacking(why: string, isUnsound: boolean): void {
    this.#unsound = isUnsound ? why : null;
    if (this.#status !== "quarantined") this.#status = "damaged";
    this.#note = why;
  }

  /** Lets SQLite apply the log beside the copy. @returns frames that it took. */
  settle(): number {
    const { frames, beat } = settle(this.path);
    this.#beat = beat;
    return frames;
  }

  /** A failed batch, a full disk say, may have left its log in place, and somebody may have taken the file away. */
  settleWhatIsLeft(): void {
    if (this.#state.applied === 0) return;
    if (!existsSync(this.path)) this.quarantine("Somebody has taken the working copy away.");
    else if (existsSync(`${this.path}-wal`)) this.settle();
  }

  /** Puts a fresh file in the copy's place. The old log goes before it comes: SQLite would apply it to that one. */
  swapIn(fresh: string, content: Pick<CopyState, "replica" | "applied" | "target" | "time">, beat: Beat | null): void {
    this.#forget();
    this.step("swap");
    for (const sidecar of ["-wal", "-shm", "-journal"]) rmSync(this.path + sidecar, { recursive: true, force: true });
    renameSync(fresh, this.path);
    syncFolder(this.#options.work);
    this.step("seeded");
    this.update(content);
    this.#beat = beat;
    this.#unsound = null;
    this.#status = "ok";
  }

  /** Puts the copy aside: the next turn makes it anew. Readers go on with what was published. */
  quarantine(why: string): void {
    this.step("quarantine");
    this.update({ applied: 0, target: 0, time: null, reseeds: this.#state.reseeds + 1, why });
    this.#beat = null;
    this.#status = "quarantined";
    this.#note = why;
    putInQuarantine(this.path, this.#options.clock(), (step) => this.step(step));
  }

  #recover(): void {
    for (const leftover of ["-wal.next", ".seed", ".rewrite"])
      rmSync(this.path + leftover, { recursive: true, force: true });
    if (this.#state.applied === 0) return;
    if (!existsSync(this.path)) {
      this.#forget();
      return;
    }
    try {
      this.settle();
      this.#status = "ok";
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.quarantine(`The working copy is broken: ${(error as Error).message}.`);
    }
  }

  /** From here on, and after a crash, the copy is worth nothing. */
  #forget(): void {
    if (this.#state.applied === 0 && this.#state.target === 0) return;
    this.update({ applied: 0, target: 0, time: null });
  }
}
