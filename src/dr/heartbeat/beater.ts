import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import type { Beat } from "../report.ts";
import { isBusy } from "./busy.ts";
import { CommitCounter, isChanged, type Tally } from "./commits.ts";

/** The one row that the agent writes into each database, so that what is in storage tells its own age. */
export const HEARTBEAT_TABLE = "_alai_hb";

const CREATE = `CREATE TABLE IF NOT EXISTS ${HEARTBEAT_TABLE}
  (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL)`;
const READ = `SELECT epoch, seq, ts_ms FROM ${HEARTBEAT_TABLE} WHERE id = 1`;
const WRITE = `INSERT INTO ${HEARTBEAT_TABLE} VALUES (1, ?1, ?2, ?3)
  ON CONFLICT (id) DO UPDATE SET epoch = ?1, seq = ?2, ts_ms = ?3`;
/** Litestream makes two tables of its own at once; only what a service made is worth a heartbeat. */
const OWNED = `SELECT 1 FROM sqlite_master WHERE name NOT LIKE '\\_litestream\\_%' ESCAPE '\\'
  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '${HEARTBEAT_TABLE}' LIMIT 1`;

/**
 * A database in which nothing happens gets a heartbeat so seldom: each one costs ten requests to storage, a file, its compactions and
 * their listings, and proves no more than that nothing has changed. Measured for the fleet of 69: 212 $ a month, or 1 $.
 */
export const QUIET: Millis = 6 * 3_600_000;

/** How a beat went: written; nothing was changed since the last one; nobody's table in it yet; another holds the write lock; a newer epoch has been here; or it failed. */
export type BeatResult =
  | { readonly kind: "written"; readonly beat: Beat }
  | { readonly kind: "quiet" | "empty" | "missing" | "busy" }
  | { readonly kind: "superseded"; readonly epoch: number }
  | { readonly kind: "failed"; readonly message: string };

interface Opened {
  readonly db: DatabaseSync;
  /** Device and inode: a file that was put in this one's place is another database. */
  readonly identity: string;
  owned: boolean;
  made: boolean;
  readonly counter: CommitCounter;
  /** What had been written when the last heartbeat was, that one counted; null: it cannot be told. */
  tally: Tally | null;
  read?: StatementSync;
  write?: StatementSync;
}

/**
 * Writes the heartbeat row of one database. The connection stays open: the last one to close a database would write its WAL back
 * and remove it, which makes Litestream upload all of it anew. It has next to no cache, never waits for a lock and never
 * checkpoints, so that it is in no writer's way for longer than its own one-row transaction.
 */
export class Beater {
  readonly #file: string;
  #opened: Opened | null = null;
  #last: Beat | null;
  readonly #quiet: Millis;

  /** @param last the newest beat that is known from before; sequence numbers go on from it, even over a database from a copy. */
  constructor(file: string, last: Beat | null, quiet: Millis = QUIET) {
    this.#quiet = quiet;
    this.#file = file;
    this.#last = last;
  }

  get last(): Beat | null {
    return this.#last;
  }

  beat(epoch: number, clock: () => Millis): BeatResult {
    const stat = statSync(this.#file, { throwIfNoEntry: false });
    const identity = `${stat?.dev}:${stat?.ino}`;
    if (this.#opened && this.#opened.identity !== identity) this.close();
    if (!stat) return { kind: "missing" };
    if (stat.size === 0) return { kind: "empty" };
    try {
      this.#opened ??= open(this.#file, identity);
      return this.#write(this.#opened, epoch, clock);
    } catch (error) {
      if (isBusy(error)) return { kind: "busy" };
      this.close();
      return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = null;
    try {
      opened?.db.close();
    } catch {
      // Its file is gone or damaged: nothing of ours is in it.
    }
    // Not before the database: see there.
    opened?.counter.close();
  }

  #write(opened: Opened, epoch: number, clock: () => Millis): BeatResult {
    const { db } = opened;
    opened.owned ||= db.prepare(OWNED).get() !== undefined;
    if (!opened.owned) return { kind: "empty" };
    const isQuiet = () => !isChanged(opened.tally, opened.counter.read());
    if (opened.made && this.#isFresh(clock()) && isQuiet()) return { kind: "quiet" };
    db.exec("BEGIN IMMEDIATE");
    try {
      if (!opened.made) db.exec(CREATE);
      opened.read ??= db.prepare(READ);
      opened.write ??= db.prepare(WRITE);
      const next = this.#next(toBeat(opened.read.get()), epoch, clock());
      if (typeof next === "number") {
        db.exec("ROLLBACK");
        return { kind: "superseded", epoch: next };
      }
      // Nobody else commits while this has the lock.
      const tally = opened.counter.read();
      opened.write.run(next.epoch, next.seq, next.at);
      db.exec("COMMIT");
      opened.made = true;
      opened.tally = tally && { ...tally, all: tally.all + 1 };
      this.#last = next;
      return { kind: "written", beat: next };
    } catch (error) {
      rollBack(db);
      throw error;
    }
  }

  /** The last one is not long ago, and not in the future: a clock that was set back has made it worthless. */
  #isFresh(now: Millis): boolean {
    const age = now - (this.#last?.at ?? 0);
    return age >= 0 && age < this.#quiet;
  }

  /**
   * The time is read while the write lock is held: whatever was committed before it is in the database. A clock that was set back
   * makes a beat look older than it is, never newer; the sequence rises all the same.
   */
  #next(found: Beat | null, epoch: number, now: Millis): Beat | number {
    if (found && found.epoch > epoch) return found.epoch;
    const known = [found, this.#last].filter((beat) => beat?.epoch === epoch);
    return {
      epoch,
      seq: Math.max(0, ...known.map((beat) => beat?.seq ?? 0)) + 1,
      at: now,
    };
  }
}

/** Whether no service has made anything in a file: 0 bytes, or only Litestream's and our own tables. Throws what SQLite says of another file. */
export function isUnowned(file: string): boolean {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return true;
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare(OWNED).get() === undefined;
  } finally {
    db.close();
  }
}

/** The heartbeat in a row of the table; null: there is none. */
function toBeat(row: Record<string, unknown> | undefined): Beat | null {
  return row ? { epoch: Number(row.epoch), seq: Number(row.seq), at: Number(row.ts_ms) } : null;
}

function open(file: string, identity: string): Opened {
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec("PRAGMA cache_size=-64; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;");
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, identity, owned: false, made: false, counter: new CommitCounter(db, file), tally: null };
}

function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // SQLite has done so itself.
  }
}
