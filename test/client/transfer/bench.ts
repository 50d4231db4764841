import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Caller, DumpRow, Ledger, Transferable } from "@alai/core";
import { type Dice, drawStep, outcomeOf } from "@alai/core/conformance/random-ledger";
import { adopt } from "@alai/core/sqlite/adopt";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { type Context, createContext } from "../../../src/kit/context.ts";
import { main } from "../../../src/main.ts";
import { makeCompanyLedger } from "../../core/foreign.ts";

/** Commands in this process, in a home of their own, and ledgers to copy. */

export const ann: Caller = { actor: "ann", session: "s1" };
export const bob: Caller = { actor: "bob", session: "s2" };
export const SHA = "f".repeat(64);

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** A throw-away home. */
export class Home {
  readonly dir = mkdtempSync(join(tmpdir(), "alai-transfer-"));
  readonly #signals = new Set<(signal: NodeJS.Signals) => void>();

  file(name: string): string {
    return join(this.dir, name);
  }

  get env(): Record<string, string> {
    const home = this.file("home");
    mkdirSync(home, { recursive: true });
    return { HOME: home, PATH: process.env.PATH ?? "", USER: "tester", ALAI_ACTOR: "ann", ALAI_SESSION: "s1" };
  }

  context(env: Env = {}, io: { out?: (text: string) => void; err?: (text: string) => void } = {}): Context {
    return createContext({
      io: {
        stdinIsTty: false,
        stdoutIsTty: false,
        stderrIsTty: false,
        columns: 80,
        out: io.out ?? (() => {}),
        err: io.err ?? (() => {}),
        readStdin: async () => "",
        stderrStream: () => ({ columns: 0 }) as NodeJS.WriteStream,
      },
      env: { ...this.env, ...env },
      platform: "linux",
      cwd: this.dir,
      version: "1.2.3",
      self: [],
      onSignal: (listener) => {
        this.#signals.add(listener);
        return () => this.#signals.delete(listener);
      },
    });
  }

  /** As a signal to this process would. */
  signal(name: NodeJS.Signals): void {
    for (const listener of [...this.#signals]) listener(name);
  }

  async run(words: readonly string[], env: Env = {}): Promise<Ran> {
    let out = "";
    let err = "";
    const context = this.context(env, { out: (text) => (out += text), err: (text) => (err += text) });
    return { code: await main(words, context), out, err };
  }

  /** Runs with `--json`. */
  async json<T = Record<string, unknown>>(words: readonly string[], env: Env = {}): Promise<T & { code: number }> {
    const { code, out, err } = await this.run([...words, "--json"], env);
    if (out === "") throw new Error(`${words.join(" ")}: ${code} ${err}`);
    return { ...(JSON.parse(out) as T), code };
  }

  /** A process of its own, from the sources. */
  start(words: readonly string[], env: Env = {}) {
    const bin = join(import.meta.dirname, "../../../bin/alai.ts");
    return spawn(process.execPath, [bin, ...words], {
      cwd: this.dir,
      env: { ...this.env, ...env },
      stdio: ["ignore", "ignore", "ignore"],
    });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The company's ledger, adopted, and then worked with: leases, dependencies, evidence, notes and all that verbs leave. */
export async function makeBusyLedger(file: string, roll: Dice): Promise<void> {
  makeCompanyLedger(file);
  await adopt(file, ann);
  const ledger = await SqliteLedger.open(file, { missing: "fail" });
  try {
    await ledger.claim([60, 61, 62], bob, 3_600_000);
    await ledger.addDependency(70, [71, 72], ann);
    await ledger.setStatus([80], { verb: "done", evidence: [{ path: "shot.png", sha256: SHA, size: 9 }] }, ann);
    await work(ledger, roll, 400);
  } finally {
    ledger.close();
  }
}

/** Random verbs. */
export async function work(ledger: Ledger, roll: Dice, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) await outcomeOf(drawStep(roll, Date.now())(ledger));
}

export async function rowsOf(ledger: Transferable): Promise<string[]> {
  const rows: DumpRow[] = [];
  for await (const row of ledger.dump()) rows.push(row);
  return rows.map((row) => JSON.stringify(row));
}

/** Dump lines of a ledger file. */
export async function fileRows(file: string): Promise<string[]> {
  const ledger = await SqliteLedger.open(file, { missing: "fail" });
  try {
    return await rowsOf(ledger);
  } finally {
    ledger.close();
  }
}

/** Opens a ledger file for as long as `body` takes. */
export async function inFile<T>(file: string, body: (ledger: SqliteLedger) => Promise<T>): Promise<T> {
  const ledger = await SqliteLedger.open(file, { missing: "fail" });
  try {
    return await body(ledger);
  } finally {
    ledger.close();
  }
}

export function sql(file: string, text: string): void {
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec(text);
  db.close();
}

/** Bytes and times of a file and of its write-ahead log: nothing at all may be written by who only reads. */
export function stateOf(file: string) {
  const of = (path: string) => {
    if (!existsSync(path)) return null;
    const { mtimeMs, size, mode } = statSync(path);
    return { mtimeMs, size, mode, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
  };
  const wal = of(`${file}-wal`);
  // Any reader of a file with WAL makes an empty one.
  return { file: of(file), wal: wal && wal.size > 0 ? wal : null, journal: of(`${file}-journal`) };
}
