import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Millis } from "@alai/core";
import type { FromWriter, ToWriter } from "./protocol.ts";

/** What the witness knows of one database. */
export interface Witnessed {
  readonly acknowledged: number;
  /** When the first row was written, by the writer's clock. */
  readonly first: Millis;
  /** The last row of which it was told. */
  readonly seq: number;
  /** When that was written, by the writer's clock. */
  readonly at: Millis;
}

/** Starts the writer of markers and keeps what it says: what was committed, in a process that is not killed with it. */
export class Witness {
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #seen = new Map<string, Witnessed>();

  /** @param command program and words that run `writeMarkers`. */
  constructor([program = "", ...words]: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(program, words, { env, stdio: ["pipe", "pipe", "ignore"], windowsHide: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    // Nobody may be waiting for it when the writer is killed.
    promise.catch(() => undefined);
    // A pipe that broke is told by the writer's end.
    this.#child.stdin?.on("error", () => undefined);
    const lines = this.#child.stdout && createInterface({ input: this.#child.stdout });
    lines?.on("line", (line) => this.#note(line, resolve));
    const read = new Promise<void>((done) => (lines ? lines.once("close", done) : done()));
    const gone = new Promise<void>((done) => {
      this.#child.once("error", () => done()).once("exit", () => done());
    });
    this.#ended = Promise.all([gone, read]).then(() => reject(new Error("The writer of markers ended by itself.")));
  }

  get witnessed(): ReadonlyMap<string, Witnessed> {
    return this.#seen;
  }

  get isOver(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  tell(message: ToWriter): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** By SIGKILL; what it had said before is read to the end. */
  kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    return this.#ended;
  }

  #note(line: string, ready: () => void): void {
    const message = parsed(line);
    if (message?.kind === "ready") ready();
    if (message?.kind !== "row") return;
    const { name, seq, at } = message;
    const before = this.#seen.get(name);
    this.#seen.set(name, { acknowledged: (before?.acknowledged ?? 0) + 1, first: before?.first ?? at, seq, at });
  }
}

/** Null for a line that a kill has torn: of that row nobody was told. */
function parsed(line: string): FromWriter | null {
  try {
    return JSON.parse(line) as FromWriter;
  } catch {
    return null;
  }
}
