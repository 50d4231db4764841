import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import { requireSafeSqlite } from "@alai/core/sqlite/safety";
import type { Alarm, AlarmKind } from "../report.ts";

/** A child as it was started: enough to know it again after the agent was killed. */
export interface StartedChild {
  readonly name: string;
  readonly pid: number;
  /** As the system tells it, to tell a pid that was given again from the same process. */
  readonly born: string;
  /** Words of its command line. */
  readonly command: readonly string[];
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS child (name TEXT PRIMARY KEY, pid INTEGER NOT NULL, born TEXT NOT NULL, command TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alarm (kind TEXT NOT NULL, subject TEXT NOT NULL, since INTEGER NOT NULL, sentence TEXT NOT NULL,
  PRIMARY KEY (kind, subject)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (name TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample (at INTEGER NOT NULL, name TEXT NOT NULL, lag INTEGER, PRIMARY KEY (at, name)) WITHOUT ROWID;
`;

/**
 * What the agent must still know after it was killed, in one SQLite file: children, alarms, the last heads and counts, and samples
 * of lags for plots. Each change is one transaction, so that SIGKILL leaves it as it was before or after.
 */
export class AgentState {
  readonly #db: DatabaseSync;
  readonly #setHead: StatementSync;
  readonly #sample: StatementSync;

  /** Throws `unsafe_sqlite` on a runtime whose SQLite may damage a file, and SQLite's error when the file cannot be used. */
  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#db = new DatabaseSync(file, { timeout: 5000 });
    this.#db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;");
    this.#db.exec(SCHEMA);
    requireSafeSqlite(this.sqliteVersion);
    this.#setHead = this.#db.prepare("INSERT OR REPLACE INTO head VALUES (?, ?, ?)");
    this.#sample = this.#db.prepare("INSERT OR REPLACE INTO sample VALUES (?, ?, ?)");
  }

  get sqliteVersion(): string {
    return String(this.#db.prepare("SELECT sqlite_version() AS v").get()?.v);
  }

  children(): readonly StartedChild[] {
    return this.#db
      .prepare("SELECT * FROM child")
      .all()
      .map((row) => ({
        name: String(row.name),
        pid: Number(row.pid),
        born: String(row.born),
        command: JSON.parse(String(row.command)) as string[],
      }));
  }

  keepChild({ name, pid, born, command }: StartedChild): void {
    this.#db.prepare("INSERT OR REPLACE INTO child VALUES (?, ?, ?, ?)").run(name, pid, born, JSON.stringify(command));
  }

  forgetChild(name: string): void {
    this.#db.prepare("DELETE FROM child WHERE name = ?").run(name);
  }

  alarms(): readonly Alarm[] {
    return this.#db
      .prepare("SELECT * FROM alarm ORDER BY since, kind, subject")
      .all()
      .map((row) => ({
        kind: String(row.kind) as AlarmKind,
        subject: String(row.subject),
        since: Number(row.since),
        sentence: String(row.sentence),
      }));
  }

  /** Takes these alarms instead of those before. */
  keepAlarms(alarms: readonly Alarm[]): void {
    this.#together(() => {
      this.#db.exec("DELETE FROM alarm");
      const insert = this.#db.prepare("INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?)");
      for (const { kind, subject, since, sentence } of alarms) insert.run(kind, subject, since, sentence);
    });
  }

  /** Something small that is known of a database (or of the host, with an empty name); null: never kept. */
  recall<T>(name: string, kind: string): T | null {
    const row = this.#db.prepare("SELECT value FROM head WHERE name = ? AND kind = ?").get(name, kind);
    return row ? (JSON.parse(String(row.value)) as T) : null;
  }

  keep(entries: readonly { readonly name: string; readonly kind: string; readonly value: unknown }[]): void {
    this.#together(() => {
      for (const { name, kind, value } of entries) this.#setHead.run(name, kind, JSON.stringify(value));
    });
  }

  /** As `keep`, and it outlives a loss of power too. */
  keepDurably(entries: Parameters<AgentState["keep"]>[0]): void {
    this.#db.exec("PRAGMA synchronous=FULL");
    try {
      this.keep(entries);
    } finally {
      this.#db.exec("PRAGMA synchronous=NORMAL");
    }
  }

  /** @param lags by database's name; null: unknown at that time. */
  addSamples(at: Millis, lags: ReadonlyMap<string, Millis | null>): void {
    this.#together(() => {
      for (const [name, lag] of lags) this.#sample.run(at, name, lag === null ? null : Math.round(lag));
    });
  }

  /** Samples from `since` on, oldest first. */
  samples(since: Millis): readonly { readonly at: Millis; readonly name: string; readonly lag: Millis | null }[] {
    return this.#db
      .prepare("SELECT at, name, lag FROM sample WHERE at >= ? ORDER BY at, name")
      .all(since)
      .map((row) => ({
        at: Number(row.at),
        name: String(row.name),
        lag: row.lag === null ? null : Number(row.lag),
      }));
  }

  /** Drops samples older than `keepAll`, save the worst of each hour, and everything older than `keepHours`. */
  prune(now: Millis, keepAll: Millis, keepHours: Millis): void {
    this.#together(() => {
      this.#db.prepare("DELETE FROM sample WHERE at < ?").run(now - keepHours);
      this.#db
        .prepare(
          `DELETE FROM sample WHERE at < ?1 AND (at, name) NOT IN (
             SELECT at, name FROM (
               SELECT at, name, row_number() OVER (PARTITION BY name, at / 3600000 ORDER BY lag IS NULL DESC, lag DESC, at) AS n
               FROM sample WHERE at < ?1) WHERE n = 1)`,
        )
        .run(now - keepAll);
    });
  }

  close(): void {
    this.#db.close();
  }

  #together(body: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#db.exec("COMMIT");
    } catch (error) {
      // At a full disk SQLite has rolled back itself, and says so: what was wrong is in the first error.
      try {
        this.#db.exec("ROLLBACK");
      } catch {}
      throw error;
    }
  }
}
