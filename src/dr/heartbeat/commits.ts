import { closeSync, openSync, readSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { isBusy } from "./busy.ts";

/** Litestream's own row, which it changes at every checkpoint, each time in a transaction of its own. */
const LITESTREAM_ROW = "SELECT seq FROM _litestream_seq WHERE id = 1";
/** How the index of a write-ahead log begins: its version, four bytes of nothing, and a count that each transaction raises by one. */
const VERSION = 3_007_000;
const VERSION_AT = 0;
const COMMITS_AT = 2;
/** Both are read again while somebody commits between them. */
const LOOKS = 5;

/** How often a database was written to. Both counts only ever rise, and begin again at 2^32 or in a new file. */
export interface Tally {
  /** Transactions, by whomever. */
  readonly all: number;
  /** Of these, Litestream's; those with which it made its tables are not counted. */
  readonly litestreams: number;
}

/**
 * Counts the transactions of a database in WAL mode. SQL tells only that there were some since the last look, not how many; what
 * tells is in the file beside it, whose form SQLite documents (sqlite.org/walformat.html). That stays open until `close`: the system
 * drops every lock that SQLite holds on a file here when any handle of it is closed.
 */
export class CommitCounter {
  readonly #db: DatabaseSync;
  readonly #index: string;
  #fd: number | null = null;

  /** @param db open, on `file`. */
  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#index = `${file}-shm`;
  }

  /** Null where it cannot be told: not in WAL mode, which Litestream puts it into. */
  read(): Tally | null {
    for (let look = 0; look < LOOKS; look++) {
      const all = this.#commits();
      if (all === null) return null;
      const litestreams = litestreamRow(this.#db);
      if (this.#commits() === all) return { all, litestreams };
    }
    return null;
  }

  /** Only after the database itself was closed. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #commits(): number | null {
    if (this.#db.prepare("PRAGMA journal_mode").get()?.journal_mode !== "wal") return null;
    // As the machine itself has them.
    const words = new Uint32Array(3);
    try {
      this.#fd ??= openSync(this.#index, "r");
      if (readSync(this.#fd, words, 0, words.byteLength, 0) < words.byteLength) return null;
    } catch {
      return null;
    }
    return words[VERSION_AT] === VERSION ? (words[COMMITS_AT] ?? null) : null;
  }
}

/** Whether anyone but Litestream has committed between two counts. One that went back is of another file, or began again. */
export function isChanged(before: Tally | null, now: Tally | null): boolean {
  if (!before || !now) return true;
  const all = now.all - before.all;
  const litestreams = now.litestreams - before.litestreams;
  return all < 0 || litestreams < 0 || all > litestreams;
}

/** 0 before Litestream has opened the database. */
function litestreamRow(db: DatabaseSync): number {
  try {
    return Number(db.prepare(LITESTREAM_ROW).get()?.seq ?? 0);
  } catch (error) {
    if (isBusy(error)) throw error;
    return 0;
  }
}
