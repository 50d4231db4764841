import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "@alai/core";
import type { ChildReport } from "../report.ts";
import { type Log, sentenceOf } from "./log.ts";
import { lookAtProcess } from "./processes.ts";
import { rotate } from "./rotate.ts";
import type { AgentState } from "./state.ts";

/** The first pause is short: what is not sent while nobody runs is what a crash would lose. */
const FIRST_PAUSE: Millis = 250;
const LONGEST_PAUSE: Millis = 30_000;
/** Alive for so long, it is taken to be well again. */
const WELL: Millis = 30_000;
/** How long it may take to write what it holds, before it is killed. Its config says 5 s. */
const FLUSH: Millis = 5500;

export interface ChildSpec {
  readonly name: string;
  /** Program and words. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that its standard output and error are appended to. */
  readonly logFile: string;
}

export interface Surroundings {
  readonly state: AgentState;
  readonly log: Log;
  readonly clock: () => Millis;
  /** For spans: unlike `clock`, nobody sets it back. */
  readonly monotonic: () => Millis;
  readonly platform: string;
}

/**
 * One child that is to run for ever: started again whenever it ends, with longer and longer pauses while it does not stay up.
 * Its exit code is told and never taken as proof of anything: Litestream ends with 0 when its last upload failed.
 */
export class Child {
  readonly spec: ChildSpec;
  readonly #around: Surroundings;
  #process: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #wanted = false;
  /** One more with each `stop`: a restart that was under way then starts nothing. */
  #stops = 0;
  #pause = FIRST_PAUSE;
  #timer: NodeJS.Timeout | undefined;
  #restarts = 0;
  #startedAt: Millis | null = null;
  /** By the monotonic clock, as the next. */
  #bornAt: Millis = 0;
  #diedAt: Millis | null = null;
  #lastExit: string | null = null;

  constructor(spec: ChildSpec, around: Surroundings) {
    this.spec = spec;
    this.#around = around;
  }

  get report(): ChildReport {
    return {
      name: this.spec.name,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      startedAt: this.#startedAt,
      lastExit: this.#lastExit,
    };
  }

  /** How long ago it last ended by itself; null: it never has. */
  get diedAgo(): Millis | null {
    return this.#diedAt === null ? null : this.#around.monotonic() - this.#diedAt;
  }

  start(): void {
    this.#wanted = true;
    if (!this.#process && !this.#timer) this.#spawn();
  }

  /** Ends it and starts it anew, at once; not when it is stopped meanwhile: whoever stops it counts on its staying so. @param meanwhile done while it does not run. */
  async restart(meanwhile: () => void = () => undefined): Promise<void> {
    const stops = this.#stops;
    // Once more where another restart has started it in the meantime.
    do {
      await this.#end();
      if (stops !== this.#stops) return;
    } while (this.#process || this.#timer);
    meanwhile();
    this.#restarts++;
    this.start();
  }

  /**
   * Lets it write what it holds, then ends it. Resolves when it is gone; nothing but `start` makes it run again.
   * @param flush how long it may take for that; 0: it must not write anything more.
   */
  async stop(flush: Millis = FLUSH): Promise<void> {
    this.#stops++;
    await this.#end(flush);
  }

  /** Keeps its log short. */
  tidy(): void {
    rotate(this.spec.logFile);
  }

  async #end(flush: Millis = FLUSH): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const running = this.#process;
    if (!running) return;
    running.kill(flush > 0 ? "SIGTERM" : "SIGKILL");
    const kill = setTimeout(() => running.kill("SIGKILL"), flush);
    await this.#ended;
    clearTimeout(kill);
  }

  #spawn(): void {
    const { spec } = this;
    const { clock, monotonic, log } = this.#around;
    const [program, ...words] = spec.command;
    mkdirSync(dirname(spec.logFile), { recursive: true, mode: 0o700 });
    const fd = openSync(spec.logFile, "a", 0o600);
    const child = spawn(program, words, { stdio: ["ignore", fd, fd], env: { ...spec.env } });
    closeSync(fd);
    this.#process = child;
    this.#startedAt = clock();
    this.#bornAt = monotonic();
    this.#ended = new Promise((resolve) => {
      let over = false;
      const end = (how: string) => {
        if (over) return;
        over = true;
        this.#onEnd(how);
        resolve();
      };
      child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
      child.on("error", (error) => {
        if (child.pid === undefined) end(`not started: ${error.message}`);
        // A signal that could not be sent: it runs on, and a second one beside it would damage replicas.
        else log.error("a child cannot be signalled", { child: spec.name, pid: child.pid, reason: sentenceOf(error) });
      });
    });
    if (child.pid === undefined) return;
    log.info("child started", { child: spec.name, pid: child.pid });
    void this.#remember(child.pid);
  }

  /** What it takes to know it again, should this agent be killed. */
  async #remember(pid: number): Promise<void> {
    const { state, platform, log } = this.#around;
    const running = await lookAtProcess(platform, pid).catch((error: unknown) => {
      log.warn("a child is not written down", { child: this.spec.name, pid, reason: sentenceOf(error) });
      return null;
    });
    if (running && this.#process?.pid === pid)
      state.keepChild({ name: this.spec.name, pid, born: running.born, command: this.spec.command });
  }

  #onEnd(how: string): void {
    const { monotonic, log } = this.#around;
    const now = monotonic();
    const lived = now - this.#bornAt;
    this.#process = null;
    this.#lastExit = how;
    forget(this.spec.name, this.#around);
    if (!this.#wanted) {
      log.info("child ended", { child: this.spec.name, exit: how });
      return;
    }
    this.#diedAt = now;
    this.#pause = lived > WELL ? FIRST_PAUSE : Math.min(this.#pause * 2, LONGEST_PAUSE);
    log.error("child died; it is started again", { child: this.spec.name, exit: how, pause_ms: this.#pause });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#restarts++;
      this.#spawn();
    }, this.#pause);
  }
}

/** Strikes out a child that has ended. A full disk is no reason to fall: one that is still written down is not found any more. */
export function forget(name: string, { state, log }: Surroundings): void {
  try {
    state.forgetChild(name);
  } catch (error) {
    log.warn("a child that has ended is still written down", { child: name, reason: sentenceOf(error) });
  }
}
