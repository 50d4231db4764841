import { join } from "node:path";
import type { Millis } from "@alai/core";
import { type Copy, openCopy } from "../copy/copy.ts";
import { OwnFile } from "../copy/own-file.ts";
import { clearSuperseded, placeOf } from "../copy/superseded.ts";
import type { Database, Host } from "../manifest/model.ts";
import type { Head } from "../report.ts";
import type { Storage } from "../storage/storage.ts";
import { type Log, sentenceOf } from "./log.ts";
import type { AgentState } from "./state.ts";

export interface GenerationsOptions {
  readonly database: Database;
  readonly host: Host;
  readonly storage: Storage;
  readonly state: AgentState;
  readonly clock: () => Millis;
  readonly log: Log;
  /** Told before each step that a crash may come between; for tests. */
  readonly onStep?: (step: string) => void;
}

/** How long a copy may take to end what it does before it is left to itself. */
const END: Millis = 2000;
/** After a working copy could not be opened in a place of its own. */
const PATIENCE: Millis = 30_000;

/** The copies of one database, one after the other: each that comes after one was given up has a place of its own. */
export class Generations {
  readonly #options: GenerationsOptions;
  readonly #copies: string;
  readonly #published: string;
  #copy: Copy | null = null;
  #cannot: string | null = null;
  #tryAt: Millis = 0;
  /** Nothing was in the place of this one before. */
  #isFresh = false;
  #ending = false;
  #closed = false;
  #generation: number;
  #reseedsBefore: number;

  constructor(options: GenerationsOptions) {
    const { database, host, state } = options;
    this.#options = options;
    this.#copies = join(host.state, "copies");
    this.#published = join(host.databases, database.path);
    this.#generation = state.recall<number>(database.name, "generation") ?? 0;
    this.#reseedsBefore = state.recall<number>(database.name, "reseeds") ?? 0;
    this.#open();
  }

  /** Null while there is none: it is not wanted, cannot be opened, or the one before is being given up. */
  get copy(): Copy | null {
    return this.#copy;
  }

  /** Why there is no copy; null: there is one, or it is to come. */
  get cannot(): string | null {
    return this.#cannot;
  }

  /** The one before is being given up: the new one comes when that is done. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** Fresh restores of all of them. */
  get reseeds(): number {
    return this.#reseedsBefore + (this.#copy?.report().reseeds ?? 0);
  }

  /** What readers have, whichever of them it is from. */
  get published(): Head | null {
    return this.#copy ? this.#copy.report().published : new OwnFile(this.#record).headAt(this.#published);
  }

  /** One that cannot be opened is tried in another place; where that cannot be used either, again there after a while. */
  tryAgain(now: Millis): void {
    if (this.#cannot === null || now < this.#tryAt) return;
    if (this.#isFresh) this.#open();
    else void this.next();
  }

  /**
   * Gives the copy up and begins a new one. From the call on the old one can do nothing any more, however long it is still at work.
   * @returns whether there is a new one to begin with: not while one is given up, nor after the end.
   */
  async next(): Promise<boolean> {
    const { database, log } = this.#options;
    if (!database.follow || this.#ending || this.#closed) return false;
    const old = this.#copy;
    old?.giveUp();
    log.warn("the copy is given up and made anew from storage", { database: database.name });
    this.#ending = true;
    this.#reseedsBefore = this.reseeds + 1;
    this.#copy = null;
    this.#cannot = null;
    this.#generation++;
    this.#isFresh = true;
    await Promise.race([old?.close(), new Promise((resolve) => setTimeout(resolve, END).unref())]);
    this.#ending = false;
    this.#open();
    return true;
  }

  /** From the call on nothing is put into the readers' place. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#copy?.close();
  }

  /** From the call on nothing is changed at all. */
  giveUp(): void {
    this.#closed = true;
    this.#copy?.giveUp();
  }

  /** One copy that cannot be opened keeps no other from following: it is said, and tried again. */
  #open(): void {
    const { database, log, clock } = this.#options;
    if (!database.follow || this.#closed) return;
    try {
      this.#keepGeneration();
      this.#copy = this.#openCopy();
      this.#cannot = null;
    } catch (error) {
      this.#cannot = `Its working copy cannot be opened: ${sentenceOf(error)}`;
      // What was there before may be to blame: another place is tried at once.
      this.#tryAt = this.#isFresh ? clock() + PATIENCE : 0;
      log.error("a working copy cannot be opened", { database: database.name, reason: sentenceOf(error) });
      return;
    }
    this.#clear();
  }

  #clear(): void {
    const { database, log, onStep } = this.#options;
    try {
      clearSuperseded(this.#copies, database.name, this.#generation, (step) => onStep?.(step));
    } catch (error) {
      const fields = { database: database.name, reason: sentenceOf(error) };
      log.warn("what is left of a copy that was given up stays where it is", fields);
    }
  }

  #keepGeneration(): void {
    const { state, onStep, database } = this.#options;
    const { name } = database;
    if ((state.recall<number>(name, "generation") ?? 0) === this.#generation) return;
    onStep?.("generation");
    state.keep([
      { name, kind: "generation", value: this.#generation },
      { name, kind: "reseeds", value: this.#reseedsBefore },
    ]);
    onStep?.("open");
  }

  /** One for all of them: the file that readers have may be of the one before. */
  get #record(): string {
    return join(this.#copies, `${this.#options.database.name}.published.json`);
  }

  #openCopy(): Copy {
    const { database, host, storage, clock, log, onStep } = this.#options;
    const { name } = database;
    return openCopy({
      ...{ name, storage, clock, published: this.#published, databases: host.databases, record: this.#record },
      work: placeOf(this.#copies, this.#generation),
      onPutAside: (folder) => log.warn("a database that is no copy was put aside", { database: name, folder }),
      onWentBack: (how) =>
        log.warn("readers got an older state, because storage itself went back", { database: name, how }),
      ...(onStep && { onStep }),
    });
  }
}
