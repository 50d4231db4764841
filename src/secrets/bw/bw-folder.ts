import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { writePrivate } from "../../kit/sealed/private-file.ts";
import { PrivateFolder, unsealedPlace } from "./folder.ts";
import type { BwProgram } from "./program.ts";
import { type BwCall, runBw } from "./run.ts";
import { runUntil } from "./run-until.ts";

const DATA = "data.json";
const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
let said = false;

/** How long a person waits for a server. */
interface Patience {
  readonly whole: Millis;
  /** When it is over, by `performance.now()`. */
  readonly until: Millis;
}

function left({ until }: Patience): Millis {
  return Math.max(1, until - performance.now());
}

/** A folder with bw's data in it, for as long as this command needs it. */
export class BwFolder {
  readonly #context: Context;
  readonly #folder: PrivateFolder;
  readonly #listening: () => void;
  readonly #server: string;
  /** How long its bw may take, all calls together; null: each as long as a call may. */
  readonly #patience: Patience | null;
  #end: () => void = () => {};
  #gone = false;
  #interrupted = false;

  /** @param data bw's for this server, or null for a bw that knows nothing yet. */
  constructor(context: Context, server: string, data: string | null, patience: Patience | null = null) {
    this.#patience = patience;
    this.#server = server;
    this.#context = context;
    sayWhere(context);
    // Before there is a folder: a signal between the two would leave it behind.
    this.#listening = context.onSignal((signal) => {
      if (!ENDING.includes(signal)) return;
      this.#interrupted = true;
      this.remove();
      // As if nobody had listened: whoever else does, hears it too.
      process.kill(process.pid, signal);
    });
    context.onExit(() => this.remove());
    this.#folder = new PrivateFolder(context);
    if (data !== null) writePrivate(join(this.#folder.path, DATA), Buffer.from(data));
  }

  get path(): string {
    return this.#folder.path;
  }

  /** What bw has in it now; null when nothing that is whole. */
  data(): string | null {
    try {
      const text = readFileSync(join(this.path, DATA), "utf8");
      JSON.parse(text);
      return text;
    } catch {
      return null;
    }
  }

  /** For a bw that is to know nothing of before. */
  empty(): void {
    rmSync(join(this.path, DATA), { force: true });
  }

  /** @param done where given, bw is ended as soon as it has said this: it would wait two seconds before it ends. */
  async run(program: BwProgram, call: BwCall, done?: RegExp): Promise<string> {
    const whole: BwCall = {
      server: this.#server,
      ...(this.#patience && { patience: this.#patience.whole, limit: left(this.#patience) }),
      ...call,
      running: (child) => this.serve(child?.pid ?? null, () => child?.kill("SIGKILL")),
    };
    try {
      if (done) return await runUntil(this.#context, program, this, done, whole);
      return await runBw(this.#context, program, this.path, whole);
    } catch (error) {
      throw this.#interrupted ? new Exit(EXIT.interrupted, "interrupted", "Interrupted.") : error;
    }
  }

  /** A bw runs in it until `end` is called, at the latest when the folder goes. */
  serve(pid: number | null, end: () => void): void {
    this.#folder.inUseBy(pid);
    this.#end = end;
  }

  remove(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#listening();
    this.#end();
    this.#folder.remove();
  }
}

/** Once a command: the reader should know that it is on a disk. */
function sayWhere(context: Context): void {
  const { root, inMemory } = unsealedPlace(context);
  if (inMemory || said) return;
  said = true;
  context.warn(`there is no folder in memory here, so Bitwarden's files are in ${root} while this runs (mode 700)`);
}
