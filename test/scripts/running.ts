import { type ChildProcess, spawn } from "node:child_process";

export interface Options {
  /** Given to standard input, which is then closed. `null` leaves it open. Absent: empty. */
  readonly input?: string | Buffer | null;
  /** Added to the place's own; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly ms: number;
}

/** A process of a test, and what it says. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  stdout = "";
  stderr = "";
  readonly #listeners = new Set<() => void>();
  #over = false;

  constructor(command: readonly string[], options: Options) {
    const [program = "", ...args] = command;
    const start = performance.now();
    this.child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: "pipe" });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear("stdout", text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#hear("stderr", text));
    // A child that does not read its input breaks the pipe: not an error of the test.
    this.child.stdin?.on("error", () => {});
    if (options.input !== null) this.child.stdin?.end(options.input ?? "");
    this.ended = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => {
        this.#over = true;
        this.#tell();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr, ms: performance.now() - start });
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("the process did not start");
    return this.child.pid;
  }

  /** Waits until stdout matches. @returns the match. Throws when the process ends or the time is over before that. */
  says(pattern: RegExp, limit = 120_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        act();
      };
      const fail = (why: string) =>
        done(() => reject(new Error(`${why} without saying ${pattern}: ${this.stdout}\n${this.stderr}`)));
      const look = () => {
        const match = pattern.exec(this.stdout);
        if (match) done(() => resolve(match));
        else if (this.#over) fail("it ended");
      };
      const timer = setTimeout(() => fail(`${limit} ms went by`), limit);
      this.#listeners.add(look);
      look();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  kill(): void {
    if (!this.#over) this.child.kill("SIGKILL");
  }

  #hear(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
