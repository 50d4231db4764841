import { Refusal, StoreError } from "../refusal.ts";

interface SqliteError extends Error {
  readonly code: string;
  readonly errcode: number;
}

const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;
/** The file that WAL readers share could not be made longer: there is no room for it. */
const IOERR_SHMSIZE = 4874;

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}

/** SQLite's primary result code: extended codes carry it in the low byte. */
function primary(error: SqliteError): number {
  return error.errcode === IOERR_SHMSIZE ? FULL : error.errcode & 0xff;
}

/** Someone else has the lock: worth another try. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (primary(error) === BUSY || primary(error) === LOCKED);
}

export function isMissingTable(error: unknown): boolean {
  return isSqliteError(error) && /no such table/.test(error.message);
}

/** What SQLite said, in the ledger's words. Errors that are none of the store's are passed through: they are bugs. */
export function fromSqlite(error: unknown, file: string): unknown {
  if (!isSqliteError(error)) return error;
  switch (primary(error)) {
    case BUSY:
    case LOCKED:
      return new StoreError(
        "locked",
        `The ledger ${file} is locked by another program.`,
        "Try again in a moment.",
        error,
      );
    case FULL:
      return new StoreError(
        "disk_full",
        `The disk of the ledger ${file} is full; nothing was changed.`,
        "Free some space and try again.",
        error,
      );
    case READONLY:
      return new StoreError(
        "read_only",
        `The ledger ${file} cannot be written: the file or its folder is read-only.`,
        "Check its permissions, or name another with --db FILE.",
        error,
      );
    case CORRUPT:
    case NOTADB:
      return new StoreError(
        "corrupt",
        `${file} is not an intact SQLite file (${error.message}).`,
        "Restore it from a backup; alai does not touch it.",
        error,
      );
    case CANTOPEN:
      return new StoreError(
        "unavailable",
        `The ledger ${file} cannot be opened.`,
        "Check that its folder exists and may be written.",
        error,
      );
    case IOERR:
      return new StoreError(
        "unavailable",
        `Reading or writing the ledger ${file} failed (${error.message}); nothing was changed.`,
        "Check the disk: is it full or failing?",
        error,
      );
    case CONSTRAINT:
      return new Refusal("constraint", `The ledger's own rule forbids this: ${error.message}.`, {
        hint: "The file was made by another program, whose table has this rule.",
      });
    default:
      return error;
  }
}
