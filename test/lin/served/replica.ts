import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

/** One server process over a database; killed and started again, it comes back on another port. */
export class Replica {
  readonly #databaseUrl: string;
  #child: ChildProcess | null = null;
  #stderr = "";
  port = 0;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  /** Starts it and waits until it says where it listens. It may have to wait for the database. */
  async start(): Promise<void> {
    for (let tries = 0; ; tries++) {
      if (await this.#try()) return;
      if (tries > 40) throw new Error(`the server does not start: ${this.#stderr}`);
      await sleep(250);
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #try(): Promise<boolean> {
    const args = [ALAI, "serve", "--port", "0", "--database-url", this.#databaseUrl, "--log-level", "silent"];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    this.#child = child;
    this.#stderr = "";
    const { promise, resolve } = Promise.withResolvers<boolean>();
    child.stderr.on("data", (text) => {
      this.#stderr += text;
      const port = / on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#stderr)?.[1];
      if (!port) return;
      this.port = Number(port);
      resolve(true);
    });
    child.once("exit", () => resolve(false));
    return promise;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
}
