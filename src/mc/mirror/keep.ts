import { existsSync } from "node:fs";
import { type Ledger, type Millis, StoreError, type Transferable } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { readMark } from "@alai/core/sqlite/mirror";
import { MirrorFile } from "@alai/core/sqlite/mirror-file";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { timerLength } from "../../kit/timer.ts";
import { orStop } from "../or-stop.ts";
import { gapIn, newsFor } from "./catch-up.ts";
import { copyAside, putInPlace } from "./whole.ts";

/** One step of a mirror towards its server. */
export interface Step {
  /** The newest event that the mirror has now. */
  readonly seq: number;
  readonly at: Millis;
  readonly events: number;
  /** Tasks that are not as they were. */
  readonly tasks: number;
  /** Why all was copied anew; null when only what came since was. */
  readonly copied: string | null;
  /** Where a mirror that knew more than the server was put. */
  readonly kept: string | null;
}

export interface KeepOptions {
  readonly file: string;
  readonly url: string;
  readonly interval: Millis;
  readonly once: boolean;
  /** Told of each step. */
  readonly step: (step: Step) => void;
  /** Told when the server cannot be reached; it is tried again. */
  readonly outage: (error: Error) => void;
}

/** The server counts its rows for this. */
const CHECK: Millis = 60_000;
/** Changes that come close together are fetched together. */
const GATHER: Millis = 100;

/** Between two tries while the server is away, or takes this sign-in no more; never less than the interval. */
const LONGEST_PAUSE: Millis = 30_000;

function retryPause(interval: Millis, failures: number): Millis {
  return Math.max(interval, Math.min(LONGEST_PAUSE, interval * 2 ** (failures - 1)) * (0.5 + Math.random() / 2));
}

/** Keeps a local copy current until it is told to stop. One at a time a file. */
export class MirrorKeeper {
  readonly #context: Context;
  readonly #server: Ledger & Transferable;
  readonly #options: KeepOptions;
  #mirror: MirrorFile | null = null;
  #checked: Millis = Number.NEGATIVE_INFINITY;
  #refreshed: Millis = Number.NEGATIVE_INFINITY;

  constructor(context: Context, server: Ledger & Transferable, options: KeepOptions) {
    this.#context = context;
    this.#server = server;
    this.#options = options;
    context.onExit(() => this.#mirror?.close());
  }

  /** Settles when it was interrupted; with `once` after the first step. */
  async run(): Promise<void> {
    const { interrupted } = this.#context;
    const { once, interval, step, outage } = this.#options;
    await this.#open();
    let failures = 0;
    while (!interrupted.aborted) {
      try {
        step(await this.#step());
        if (once) return;
        failures = 0;
        await this.#pause(GATHER);
        await this.#orStop(this.#server.changed(interval));
      } catch (error) {
        if (interrupted.aborted) return;
        if (once || !this.#passes(error)) throw error;
        failures += 1;
        this.#checked = Number.NEGATIVE_INFINITY;
        outage(error as Error);
        // Interrupted here too: the loop's head sees it.
        await this.#pause(retryPause(interval, failures)).catch(() => {});
      }
    }
  }

  async #open(): Promise<void> {
    const { file, url } = this.#options;
    if (!existsSync(file)) return;
    const mark = readMark(file);
    if (mark?.url !== url)
      throw usage(
        mark ? `${file} is a mirror of ${mark.url}.` : `${file} is no mirror, and is not overwritten.`,
        "Name another file with --file.",
      );
    this.#mirror = await MirrorFile.open(file);
  }

  /** A server that is away comes back; a sign-in that was good before may be good again when its token is renewed. */
  #passes(error: unknown): boolean {
    if (error instanceof StoreError) return error.code === "unavailable" || error.code === "locked";
    return error instanceof Exit && this.#mirror !== null;
  }

  async #step(): Promise<Step> {
    const mirror = this.#mirror;
    if (!mirror) return this.#copy("there was no mirror yet", false);
    const at = this.#context.clock();
    const now = monotonic();
    const state = await mirror.state();
    if (now - this.#checked >= CHECK) {
      const gap = gapIn(await this.#server.dumpHead(), state, at);
      if (gap) return this.#copy(gap.why, gap.keep);
      this.#checked = now;
    }
    const held = now - this.#refreshed >= this.#options.interval;
    const news = await this.#orStop(newsFor(this.#server, state.newest, held));
    if ("why" in news) return this.#copy(news.why, news.keep);
    if (held) this.#refreshed = now;
    const { url } = this.#options;
    const counts = await mirror.apply(news.rows, { url, at, copied: state.copied });
    return { seq: (state.newest?.seq ?? 0) + counts.events, at, ...counts, copied: null, kept: null };
  }

  async #copy(why: string, keep: boolean): Promise<Step> {
    const { file, url } = this.#options;
    const at = this.#context.clock();
    const aside = await copyAside(this.#context, this.#server, file, { url, at });
    this.#mirror?.close();
    this.#mirror = null;
    const kept = putInPlace(aside, file, keep, at);
    this.#mirror = await MirrorFile.open(file);
    const { newest, rows } = await this.#mirror.state();
    return { seq: newest?.seq ?? 0, at, events: rows.event, tasks: rows.task, copied: why, kept };
  }

  #pause(ms: Millis): Promise<void> {
    return this.#orStop(new Promise((resolve) => setTimeout(resolve, timerLength(ms))));
  }

  /** Rejects when it is interrupted before `work` settles. */
  #orStop<T>(work: Promise<T>): Promise<T> {
    return orStop(work, this.#context.interrupted);
  }
}
