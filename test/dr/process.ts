import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A process of a test, ended by its pid. */
export class TestProcess {
  readonly child: ChildProcess;
  /** What it printed, both streams. */
  output = "";
  readonly #listeners = new Set<() => void>();

  constructor(program: string, words: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#tell();
      });
    this.child.on("error", (error) => {
      this.output += `${error}`;
      this.#tell();
    });
    this.child.on("exit", () => this.#tell());
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.pid === 0 || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until it has printed this. Throws with all of its output when it ends before, or after a minute. */
  async says(pattern: RegExp, limit = 60_000): Promise<void> {
    const late = AbortSignal.timeout(limit);
    while (!pattern.test(this.output)) {
      if (this.isOver || late.aborted) throw new Error(`It did not say ${pattern}:\n${this.output}`);
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#listeners.delete(done);
          late.removeEventListener("abort", done);
          resolve();
        };
        this.#listeners.add(done);
        late.addEventListener("abort", done);
      });
    }
  }

  /** SIGSTOP: it is there and does nothing. */
  freeze(): void {
    this.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  /** By SIGKILL, unless told otherwise; waits for its end. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.isOver) return;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
