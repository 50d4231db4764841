import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import { type ChildSpec, forget, type Surroundings } from "./child.ts";
import { sentenceOf } from "./log.ts";
import { lookAtProcess } from "./processes.ts";
import { rotate } from "./rotate.ts";

/** What the names of errands begin with. */
export const ERRAND = "daily-";
/** How long it may take to tidy up after it was asked to end. */
const TIDY: Millis = 10_000;
/** POSIX's usual step: behind everything else, and not stopped by it. */
const NICE = ["nice", "-n", "10"] as const;

/**
 * One program that is to end by itself, behind everything else that the machine does. It leads a process group of its own, so that
 * nothing of what it started outlives it.
 */
export class Errand {
  readonly spec: ChildSpec;
  /** What went wrong, as a sentence; null: it ended with 0. Undefined: it was asked to end, which says nothing. */
  readonly ended: Promise<string | null | undefined>;
  readonly #around: Surroundings;
  readonly #process: ChildProcess;
  readonly #limit: NodeJS.Timeout;
  #kill: NodeJS.Timeout | undefined;
  #asked = false;
  #isLate = false;

  /** Starts it. @param limit after that it is ended, and its end is a failure. */
  constructor(spec: ChildSpec, around: Surroundings, limit: Millis) {
    this.spec = spec;
    this.#around = around;
    const [program, ...words] = NICE;
    const fd = this.#openLog();
    const env = { ...spec.env };
    const child = spawn(program, [...words, ...spec.command], { stdio: ["ignore", fd, fd], env, detached: true });
    closeSync(fd);
    this.#process = child;
    this.#limit = setTimeout(() => {
      this.#isLate = true;
      this.#end();
    }, limit);
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) =>
        resolve(this.#onEnd(code === 0 ? null : (signal ?? `exit code ${code}`), limit)),
      );
      child.on("error", (error) => {
        if (child.pid === undefined) resolve(this.#onEnd(`not started: ${error.message}`, limit));
      });
    });
    if (child.pid !== undefined) void this.#remember(child.pid);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Asks it to end; resolves when it has. */
  async stop(): Promise<void> {
    this.#asked = true;
    this.#end();
    await this.ended;
  }

  #openLog(): number {
    const { command, logFile } = this.spec;
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
    rotate(logFile);
    appendFileSync(logFile, `# ${new Date(this.#around.clock()).toISOString()} ${command.join(" ")}\n`, {
      mode: 0o600,
    });
    return openSync(logFile, "a", 0o600);
  }

  #end(): void {
    if (this.#kill) return;
    this.#process.kill("SIGTERM");
    this.#kill = setTimeout(() => killGroup(this.#process.pid), TIDY);
  }

  #onEnd(how: string | null, limit: Millis): string | null | undefined {
    clearTimeout(this.#limit);
    clearTimeout(this.#kill);
    // What it started and did not end itself.
    killGroup(this.#process.pid);
    forget(this.spec.name, this.#around);
    if (this.#asked) return undefined;
    return this.#isLate ? `it did not end within ${span(limit)}, and was ended` : how;
  }

  /** What it takes to know it again, should this agent be killed. `nice` has become the program itself by then, or does so at once. */
  async #remember(pid: number): Promise<void> {
    const { state, platform, log } = this.#around;
    const { name, command } = this.spec;
    try {
      const running = await lookAtProcess(platform, pid);
      if (running && this.#process.exitCode === null && this.#process.signalCode === null)
        state.keepChild({ name, pid, born: running.born, command });
    } catch (error) {
      log.warn("a child is not written down", { child: name, pid, reason: sentenceOf(error) });
    }
  }
}

/** SIGKILL for a process and all that it started. @param pid of one that leads its group; undefined: it was never there. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH: nothing of it is left.
  }
}
