import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Changes, EventKind, LedgerEvent } from "../event.ts";
import type { Holder } from "../holder.ts";
import { fromStoreTime, type Millis, toStoreTime } from "../time.ts";
import { type Column, type ColumnMap, quotedNames } from "./columns.ts";
import { fromSqlite, isBusy } from "./errors.ts";
import { retryBusy } from "./retry.ts";

export type Row = Record<string, SQLInputValue>;

/** Named places at which a test can kill the process; see docs/correctness.md. */
export type Failpoint = "before-begin" | "after-begin" | "after-change" | "before-commit" | "after-commit";

export interface StoreOptions {
  readonly file: string;
  /** False for a copy with rows still to come. */
  readonly whole: boolean;
  /** What it is a mirror of, as `MirrorMark` in JSON. */
  readonly mirror: string | null;
  /** The wall clock. Read only after the write lock is taken. */
  readonly clock: () => Millis;
  /** Milliseconds to wait for the write lock. */
  readonly busyLimit: number;
  readonly failpoint: (point: Failpoint) => void;
}

/** What an entry of the journal needs beyond its transaction. */
export interface NewEvent {
  readonly task: number | null;
  readonly kind: EventKind;
  readonly by: Holder;
  readonly fence?: number | null;
  readonly data?: Readonly<Record<string, unknown>> & { readonly changes?: Changes };
}

/** A write transaction: the lock is held, and `now` was read under it. */
export interface Tx {
  /** Store time: never earlier than any time this ledger has written. */
  readonly now: Millis;
  readonly nowText: string;
  append(event: NewEvent): LedgerEvent;
}

/** A change that waits for its transaction. */
interface Waiting {
  readonly body: (tx: Tx) => unknown;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Changes in one transaction: more wait for the next, so that nobody else is kept for long. */
const MOST_TOGETHER = 64;

/** One open SQLite file: statements, the write lock, the clock and the journal's head. */
export class Store {
  readonly file: string;
  /** False for a copy with rows still to come, as far as this connection knows. */
  whole: boolean;
  readonly mirror: string | null;
  #columns: ColumnMap;
  #names: Readonly<Record<Column, string>>;
  readonly #db: DatabaseSync;
  readonly #options: StoreOptions;
  readonly #texts = new Map<string, string>();
  readonly #statements = new Map<string, StatementSync>();
  /** Settles when the verbs called before have: one connection has one transaction at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #dataVersion: unknown = null;
  #crowded = false;
  /** Changes that will be made in the transaction that comes next. */
  #company: Waiting[] | null = null;

  constructor(db: DatabaseSync, columns: ColumnMap, options: StoreOptions) {
    this.#db = db;
    this.#columns = columns;
    this.#names = quotedNames(columns);
    this.file = options.file;
    this.whole = options.whole;
    this.mirror = options.mirror;
    this.#options = options;
  }

  get columns(): ColumnMap {
    return this.#columns;
  }

  /** The file's column names by ours, quoted for SQL. */
  get names(): Readonly<Record<Column, string>> {
    return this.#names;
  }

  /** Takes other names for the columns: a restored copy may have made room for those of another program. */
  remap(columns: ColumnMap): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#names = quotedNames(columns);
    this.#texts.clear();
  }

  /** An SQL text that depends on the file's columns alone: built once for each open file. */
  sql(key: string, build: () => string): string {
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = build();
      this.#texts.set(key, text);
    }
    return text;
  }

  all(sql: string, ...params: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...params) as Row[];
  }

  /** Row by row: a long list need not be in memory twice. */
  each(sql: string, ...params: SQLInputValue[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...params) as Iterable<Row>;
  }

  get(sql: string, ...params: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...params) as Row | undefined;
  }

  run(sql: string, ...params: SQLInputValue[]): { lastInsertRowid: number | bigint; changes: number | bigint } {
    return this.#prepare(sql).run(...params);
  }

  /** Runs `body` against one snapshot. Reads never take the write lock. */
  async read<T>(body: (now: Millis) => T): Promise<T> {
    return this.#guard(() =>
      retryBusy(() => {
        this.run("BEGIN");
        try {
          return body(this.#now(this.#head().at));
        } finally {
          if (this.#db.isTransaction) this.run("COMMIT");
        }
      }, this.#options.busyLimit),
    );
  }

  /** Begins a read that lasts until the connection is closed: one moment, for as long as a whole copy takes. */
  async hold(): Promise<void> {
    return this.#guard(() =>
      retryBusy(() => {
        this.run("BEGIN");
        try {
          // The moment is that of the first read, not of BEGIN.
          this.#head();
        } catch (error) {
          this.run("ROLLBACK");
          throw error;
        }
      }, this.#options.busyLimit),
    );
  }

  /**
   * Runs `body` under the write lock and commits it durably, or undoes all of it. Lock first, then the clock, then the
   * decision (design.md, "The lease", 1 and 2). `body` may run once only: it is not retried after it began.
   */
  async write<T>(body: (tx: Tx) => T): Promise<T> {
    return this.#guard(async () => {
      this.#options.failpoint("before-begin");
      await this.#takeLock();
      try {
        this.#options.failpoint("after-begin");
        const result = body(this.#transaction());
        this.#options.failpoint("before-commit");
        // Beside a reader a file without WAL can be busy even here; the transaction stays open and may try again.
        await retryBusy(() => this.run("COMMIT"), this.#options.busyLimit);
        this.#options.failpoint("after-commit");
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.run("ROLLBACK");
        throw error;
      }
    });
  }

  /**
   * As `write`, with one commit for all who ask before it begins: a server's clients share what a commit costs. Each change is
   * made or refused for itself, at a moment of its own. `body` must not change anything but the file.
   */
  writeTogether<T>(body: (tx: Tx) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { body, resolve, reject };
      if (this.#company) this.#company.push(waiting);
      else {
        const company: Waiting[] = [waiting];
        this.#company = company;
        // After what else has arrived by now was read.
        setImmediate(() => void this.#commit(company));
      }
      if (this.#company.length === MOST_TOGETHER) this.#company = null;
    });
  }

  async #commit(company: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.write((tx) => {
        // Who asks from now on is too late.
        if (this.#company === company) this.#company = null;
        const [alone, another] = company;
        if (!alone || another) return company.map((one) => this.#apart(one));
        const answer = alone.body(tx) as never;
        return [() => alone.resolve(answer)];
      });
      for (const answer of answers) answer();
    } catch (error) {
      // Nothing was committed, of nobody's.
      if (this.#company === company) this.#company = null;
      for (const { reject } of company) reject(error);
    }
  }

  /** One change among others of a transaction: when it is refused, the others do not suffer for it. Gives its answer. */
  #apart({ body, resolve, reject }: Waiting): () => void {
    this.run("SAVEPOINT apart");
    try {
      const answer = body(this.#transaction()) as never;
      this.run("RELEASE apart");
      return () => resolve(answer);
    } catch (error) {
      // A full disk, for one, ends the whole transaction.
      if (!this.#db.isTransaction) throw error;
      this.run("ROLLBACK TO apart");
      this.run("RELEASE apart");
      return () => reject(fromSqlite(error, this.file));
    }
  }

  /**
   * Takes the write lock. Who had to wait for it last time lets others go first now: a process that writes in a loop would
   * otherwise take the lock again before any of those who sleep have woken.
   */
  async #takeLock(): Promise<void> {
    if (this.#crowded) await sleep(1 + Math.random() * 3);
    let tries = 0;
    await retryBusy(() => {
      tries += 1;
      this.run("BEGIN IMMEDIATE");
    }, this.#options.busyLimit);
    this.#crowded = tries > 1;
  }

  /** True when another connection has written since the last call. */
  changed(): boolean {
    let version: unknown;
    try {
      version = this.get("PRAGMA data_version")?.data_version;
    } catch (error) {
      // Someone writes just now, in a file without WAL: that is a change too.
      if (isBusy(error)) return true;
      throw fromSqlite(error, this.file);
    }
    const moved = version !== this.#dataVersion;
    this.#dataVersion = version;
    return moved;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      // An adopted file may hold integers that a number cannot: reading one as a number throws.
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(body);
    this.#turn = mine.catch(() => {});
    try {
      return await mine;
    } catch (error) {
      throw fromSqlite(error, this.file);
    }
  }

  #head(): { seq: number; at: Millis } {
    const row = this.get("SELECT seq, at FROM alai_events ORDER BY seq DESC LIMIT 1");
    return { seq: Number(row?.seq ?? 0), at: fromStoreTime(row?.at) ?? 0 };
  }

  /** `max(wall, last_now)`: a clock that is set back cannot bring a lease to life again. */
  #now(last: Millis): Millis {
    return Math.max(this.#options.clock(), last);
  }

  #transaction(): Tx {
    const head = this.#head();
    const now = this.#now(head.at);
    const nowText = toStoreTime(now);
    let seq = head.seq;
    const append = (event: NewEvent): LedgerEvent => {
      seq += 1;
      const { task, kind, by, fence = null, data } = event;
      this.run(
        "INSERT INTO alai_events (seq, task_id, kind, at, actor, session, fence, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        seq,
        task,
        kind,
        nowText,
        by.actor,
        by.session,
        fence,
        data ? JSON.stringify(data) : null,
      );
      this.#options.failpoint("after-change");
      return { seq, task, kind, at: now, actor: by.actor, session: by.session, fence, data: data ?? {} };
    };
    return { now, nowText, append };
  }
}
