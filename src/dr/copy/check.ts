import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Beat } from "../report.ts";
import { brief } from "../restore/brief.ts";

/** What a look into a database file found. */
export interface Checked {
  /** What SQLite calls wrong; empty: nothing is. */
  readonly problems: readonly string[];
  readonly beat: Beat | null;
  /** Rows of each table, where they were asked for; null where a table cannot be counted (a virtual one). */
  readonly tables: readonly { readonly name: string; readonly rows: number | null }[];
}

/** What a look found, for a sentence: the first problem, and how many more there are. SQLite may name a page in each of many lines. */
export function inOneLine(problems: Checked["problems"]): string {
  return brief(problems.join("\n"));
}

export interface CheckWish {
  readonly mode: "quick" | "full";
  readonly countRows?: boolean;
}

/**
 * What a thread of its own runs, as text: neither build needs another file for it. A big database takes SQLite seconds, in
 * which this process answers nobody otherwise. Opened as a file that cannot change: no -wal, no -shm beside it.
 */
const WORK = `
const { parentPort } = require("node:worker_threads");
const { DatabaseSync } = require("node:sqlite");
const attempt = (work, otherwise) => { try { return work(); } catch { return otherwise; } };
const quoted = (name) => '"' + name.replaceAll('"', '""') + '"';
const countOf = (db, name) => attempt(() => Number(db.prepare("SELECT count(*) AS n FROM " + quoted(name)).get().n), null);
const tablesOf = (db) => db
  .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\\\_%' ESCAPE '\\\\' ORDER BY name")
  .all()
  .map(({ name, sql }) => ({ name, rows: /^CREATE VIRTUAL/i.test(sql ?? "") ? null : countOf(db, name) }));
const beatOf = (db) => attempt(() => {
  const row = db.prepare("SELECT epoch, seq, ts_ms AS at FROM _alai_hb WHERE id = 1").get();
  return row ? { epoch: Number(row.epoch), seq: Number(row.seq), at: Number(row.at) } : null;
}, null);
function check({ url, mode, countRows }) {
  const db = new DatabaseSync(url, { readOnly: true });
  try {
    const rows = db.prepare(mode === "full" ? "PRAGMA integrity_check" : "PRAGMA quick_check").all();
    const problems = rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== "ok");
    return { problems, beat: beatOf(db), tables: countRows && problems.length === 0 ? tablesOf(db) : [] };
  } finally {
    db.close();
  }
}
parentPort.on("message", (wish) => {
  let answer;
  try { answer = check(wish); } catch (error) { answer = { problems: [String(error.message)], beat: null, tables: [] }; }
  parentPort.postMessage(answer);
});
`;

/** MiB for a thread's new objects: it makes few, and V8 would keep many times as much. */
const YOUNG = 2;

/** Looks into database files, each in a thread that is not this one. */
export class Checker {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: ((worker: Worker) => void)[] = [];
  readonly #most: number;

  /** @param threads how many files are looked into at once. */
  constructor(threads = 1) {
    this.#most = threads;
  }

  /** @param path a database that nobody writes to meanwhile, and that has no write-ahead log. */
  async check(path: string, { mode, countRows = false }: CheckWish): Promise<Checked> {
    const worker = await this.#worker();
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    try {
      const answer = await ask(worker, { url: url.href, mode, countRows });
      this.#giveBack(worker);
      return answer;
    } catch (error) {
      this.#all.delete(worker);
      void worker.terminate();
      // Who waits for a thread would wait for ever for this one.
      this.#waiting.shift()?.(this.#fresh());
      throw error;
    }
  }

  /** Ends the threads. A check that runs is broken off. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  #worker(): Promise<Worker> | Worker {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#all.size >= this.#most) return new Promise((resolve) => this.#waiting.push(resolve));
    return this.#fresh();
  }

  #fresh(): Worker {
    const worker = new Worker(WORK, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: YOUNG } });
    this.#all.add(worker);
    return worker;
  }

  #giveBack(worker: Worker): void {
    // A thread that waits keeps no process from ending.
    worker.unref();
    const next = this.#waiting.shift();
    if (next) next(worker);
    else this.#idle.push(worker);
  }
}

function ask(worker: Worker, wish: object): Promise<Checked> {
  const { promise, resolve, reject } = Promise.withResolvers<Checked>();
  const ended = () => reject(new Error("The thread that checks databases ended."));
  worker.ref();
  worker.once("message", resolve).once("error", reject).once("exit", ended);
  worker.postMessage(wish);
  return promise.finally(() => worker.off("message", resolve).off("error", reject).off("exit", ended));
}
