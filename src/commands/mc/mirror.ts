import { existsSync, mkdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { StoreError, toIso } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { withLock } from "../../kit/lock.ts";
import { narrow } from "../../kit/output.ts";
import { oneLine, toJson } from "../../kit/text.ts";
import { duration } from "../../kit/values.ts";
import { MirrorKeeper, type Step } from "../../mc/mirror/keep.ts";
import { defaultMirror, siteOf } from "../../mc/mirror/place.ts";
import { locateLedger, openLedger } from "../../mc/open.ts";

const INTERVAL = 5000;
const LEAST_INTERVAL = 100;

export const command = defineCommand({
  summary: "keep a local copy of the server current",
  description: `Copies the whole ledger once, then what each event tells of, as it comes: the file is always the server as it was at one
moment, which is told by its newest event. Leases that were only made longer are looked after every --interval. It goes on
over outages and restarts until it is stopped (Ctrl-C, SIGTERM). --offline of the reading verbs reads it; nothing but this
command writes it. Needs a token of scope admin. With --json one line for each batch of changes.`,
  examples: [
    ["alai mc mirror", "keep the default file for this server current"],
    ["alai mc mirror --once", "bring it up to date and end: for a timer"],
    ["alai mc mirror --file /backup/mc.db --interval 1m", "another file, leases a minute old at most"],
    ["alai mc list --offline", "read it while the server is away"],
  ],
  args: [],
  flags: {
    file: { value: "FILE", summary: "the mirror's file, instead of the one in the data folder" },
    once: { summary: "end when it is current" },
    interval: { value: "TIME", summary: "how long to wait for news, and how old a lease may be (5s)", parse: interval },
  },
  fields: {
    seq: "the newest event the mirror has",
    at: "when it was as the server",
    events: "how many events came",
    tasks: "how many tasks changed",
    copied: "why all was copied anew, or null",
    kept: "where a mirror that knew more than the server was put, or null",
  },
  async run(context, { flags }) {
    const location = locateLedger(context);
    if (location.kind !== "url")
      throw usage(
        "A mirror is of a server, and none is named.",
        "Set ALAI_MC_URL, for example: ALAI_MC_URL=https://mc.example.com alai mc mirror",
      );
    const url = siteOf(location.url, location.source);
    const file = flags.file === undefined ? ownFile(context, url) : namedFile(context, flags.file);
    const server = await openLedger(context, "read");
    const status = new Status(context, url);
    const options = { file, url, interval: flags.interval ?? INTERVAL, once: flags.once === true };
    const keeper = new MirrorKeeper(context, server, {
      ...options,
      step: (step) => status.step(step),
      outage: (error) => status.outage(error),
    });
    await alone(file, () => keeper.run());
    status.end();
  },
});

function ownFile(context: Context, url: string): string {
  const file = defaultMirror(context, url);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return file;
}

/** A mistyped path must not become folders. */
function namedFile(context: Context, named: string): string {
  const file = resolve(context.cwd, named);
  if (existsSync(dirname(file))) return file;
  throw new StoreError(
    "unavailable",
    `There is no folder ${dirname(file)} for the mirror of --file.`,
    "Make the folder, or correct the path.",
  );
}

function interval(raw: string): number {
  const ms = duration(raw);
  if (ms >= LEAST_INTERVAL) return ms;
  throw usage(`${raw} is too short an interval.`, "Type at least 100ms.");
}

async function alone(file: string, body: () => Promise<void>): Promise<void> {
  let begun = false;
  try {
    await withLock(
      dirname(file),
      basename(file),
      () => {
        begun = true;
        return body();
      },
      0,
    );
  } catch (error) {
    if (begun || !(error instanceof StoreError) || error.code !== "locked") throw error;
    throw new StoreError(
      "locked",
      `Another \`alai mc mirror\` keeps ${file} current.`,
      "Let it, or stop it first.",
      error,
    );
  }
}

/** What is said while it runs: a line a batch with `--json`, one line that changes on a terminal, else only what went wrong. */
class Status {
  readonly #context: Context;
  readonly #url: string;
  /** What was told of the outage that lasts, each reason once; empty while all is well. */
  readonly #told = new Set<string>();
  #drawn = false;

  constructor(context: Context, url: string) {
    this.#context = context;
    this.#url = url;
  }

  step(step: Step): void {
    const { io, flags } = this.#context;
    if (this.#told.size > 0) this.#say(`${this.#url} answers again`);
    this.#told.clear();
    if (step.kept) this.#say(`${step.copied}: copied anew; what the mirror was is kept in ${step.kept}`);
    const { at, ...rest } = step;
    if (flags.json) {
      if (step.events + step.tasks > 0 || step.copied !== null)
        io.out(`${toJson(narrow({ ...rest, at: toIso(at) }, flags.json))}\n`);
      return;
    }
    if (!io.stderrIsTty || flags.quiet) return;
    this.#drawn = true;
    io.err(`\r${oneLine(`mirror of ${this.#url}: event ${step.seq}, current at ${toIso(at)}`)}\u001b[K`);
  }

  outage(error: Error): void {
    if (this.#told.has(error.message)) return;
    this.#told.add(error.message);
    this.#say(`${error.message} Trying again; the mirror stays as it is`);
  }

  end(): void {
    if (this.#drawn) this.#context.io.err("\n");
    this.#drawn = false;
  }

  #say(sentence: string): void {
    this.end();
    this.#context.warn(sentence);
  }
}
