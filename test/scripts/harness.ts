import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { inject } from "vitest";
import { type Options, type Result, Running } from "./running.ts";

/** Black-box runs of the built program, each in a home of its own. */

const builds = inject("builds");

/** A build under test: the words that start it. */
export interface Build {
  readonly name: string;
  readonly command: readonly string[];
}

export const NPM: Build = { name: "npm", command: [process.execPath, "--", join(builds, "npm", "alai.js")] };
export const STANDALONE: Build = { name: "standalone", command: [join(builds, "alai")] };

/** For `describe.each`: every black-box test runs against both. */
export const BUILDS: readonly Build[] = [NPM, STANDALONE];

type Row = Record<string, SQLOutputValue>;
type Words = string | readonly string[];

/** A throw-away home with a ledger of its own. Whatever was started in it and still runs is killed at the end. */
export class Place {
  readonly dir: string;
  readonly db: string;
  readonly build: Build;
  readonly env: Record<string, string | undefined>;
  readonly #running = new Set<Running>();

  constructor(build: Build) {
    this.build = build;
    this.dir = mkdtempSync(join(tmpdir(), "alai-test-"));
    this.db = join(this.dir, "ledger.db");
    const home = join(this.dir, "home");
    mkdirSync(home);
    this.env = {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_DATA_HOME: join(home, ".local", "share"),
      XDG_CACHE_HOME: join(home, ".cache"),
      USER: "tester",
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      ALAI_MC_DB: this.db,
      ALAI_ACTOR: "ann",
      ALAI_SESSION: "s1",
    };
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  get configFile(): string {
    return this.file("home/.config/alai/config.json");
  }

  /** Starts the program. @param words a text is split at its spaces. */
  start(words: Words, options: Options = {}): Running {
    return this.spawn([...this.build.command, ...split(words)], options);
  }

  /** Starts any program in this home. */
  spawn(command: readonly string[], options: Options = {}): Running {
    const env = { ...this.env, ...options.env };
    const running = new Running(command, { ...options, cwd: options.cwd ?? this.dir, env });
    this.#running.add(running);
    return running;
  }

  run(words: Words, options: Options = {}): Promise<Result> {
    return this.start(words, options).ended;
  }

  /** Runs what must succeed. @returns stdout without the last line end. */
  async ok(words: Words, options: Options = {}): Promise<string> {
    const result = await this.run(words, options);
    if (result.code !== 0)
      throw new Error(`alai ${split(words).join(" ")}: ${result.code ?? result.signal}\n${result.stderr}`);
    return result.stdout.replace(/\n$/, "");
  }

  /** Runs what must succeed, with `--json`. */
  async json<T = Record<string, unknown>>(words: Words, options: Options = {}): Promise<T> {
    return JSON.parse(await this.ok([...split(words), "--json"], options)) as T;
  }

  /** Adds tasks with these titles. */
  async add(...titles: string[]): Promise<void> {
    for (const title of titles) await this.ok(["mc", "add", title]);
  }

  /** Asks the ledger file itself. */
  sql(sql: string): Row[] {
    const db = new DatabaseSync(this.db, { timeout: 30_000 });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  }

  /** A hash of all that is in the ledger; "" when there is none. */
  fingerprint(): string {
    if (!existsSync(this.db)) return "";
    const tables = this.sql("SELECT name, sql FROM sqlite_master ORDER BY name");
    const rows = tables.map(({ name, sql }) =>
      String(sql).startsWith("CREATE TABLE") ? this.sql(`SELECT * FROM "${name}"`) : [],
    );
    return createHash("sha256")
      .update(JSON.stringify([tables, rows]))
      .digest("hex");
  }

  /**
   * Long enough for what was started before to have come to where it waits, however busy the machine is: the same program is
   * started, asks its ledger and ends, several times. For a wait that nothing else tells of.
   */
  async settle(env: Options["env"] = {}): Promise<void> {
    for (let i = 0; i < 4; i++) await this.run("mc claim-status 1", { env });
  }

  [Symbol.dispose](): void {
    for (const running of this.#running) running.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function split(words: Words): readonly string[] {
  return typeof words === "string" ? words.split(" ") : words;
}

/** Another session of another actor. */
export const BOB = { ALAI_ACTOR: "bob", ALAI_SESSION: "s2" } as const;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks again and again until `look` says yes. @returns milliseconds it took. Throws after `limit`. */
export async function until(what: string, look: () => boolean, limit = 120_000): Promise<number> {
  const start = performance.now();
  while (!look()) {
    if (performance.now() - start > limit) throw new Error(`not within ${limit} ms: ${what}`);
    await sleep(10);
  }
  return performance.now() - start;
}

/**
 * What the gate answers when it has its turn: on a busy machine its own time may be over before. One that never has an answer
 * is late each time.
 */
export async function inTime(ask: () => Promise<Result>): Promise<Result> {
  let result = await ask();
  for (let tries = 1; tries < 5 && /no answer after|did not answer within/.test(result.stderr); tries++)
    result = await ask();
  return result;
}

/** True while a process of this number runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}`) || !isZombie(pid);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readStat(pid));
  } catch {
    return true;
  }
}

function readStat(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\)/, "");
}
