import { BadInput, Refusal, StoreError } from "@alai/core";
import { unfinishedCopy } from "@alai/core/rules/copy";

/** An error as Postgres or its driver reports it. */
interface DriverError extends Error {
  readonly code?: string;
}

/** After these the same transaction may succeed: somebody else's was in the way. */
const IN_THE_WAY = new Set(["40001", "40P01"]);

/** The connection is gone, or never was: nothing more can be heard on it. */
const GONE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  // Shut down, crashed, starting, terminated by an administrator, failed over.
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
  // Idle in a transaction for too long: the server has ended the connection.
  "25P03",
]);

/** What the driver says without a code when the connection ends. */
const ENDED =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed|Connection ended)/;

export function isInTheWay(error: unknown): boolean {
  return IN_THE_WAY.has(codeOf(error));
}

export function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && (GONE.has(codeOf(error)) || ENDED.test(error.message));
}

/** Text with a NUL, a text, number or time that is out of range: another try would end the same. */
const CANNOT_BE = new Set(["22021", "22P05", "22001", "22003", "22008"]);

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as DriverError).code ?? "") : "";
}

/** After this nobody knows whether the change was made: its commit was sent, and no answer came. */
export function unknownOutcome(store: string, cause: unknown): StoreError {
  return new StoreError(
    "unavailable",
    `The ledger ${store} was lost before it answered: whether the change was made is not known.`,
    "Look before you do it again.",
    cause,
  );
}

/** What Postgres said, in the ledger's words. Errors that are none of the store's are passed through: they are bugs. */
export function fromPostgres(error: unknown, store: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal || error instanceof StoreError || error instanceof BadInput)
    return error;
  const code = codeOf(error);
  if (code === "AL001") return unfinishedCopy(store);
  if (isConnectionLost(error))
    return new StoreError("unavailable", `The ledger ${store} cannot be reached.`, "Is Postgres up? Try again.", error);
  if (CANNOT_BE.has(code))
    return new BadInput(`Postgres cannot keep this: ${error.message}.`, "Leave out what it names and try again.");
  const known = KNOWN[code];
  if (known) return new StoreError(known[0], known[1](store), known[2], error);
  return error;
}

type Known = readonly [code: StoreError["code"], sentence: (store: string) => string, hint: string];

const BUSY: Known = [
  "locked",
  (store) => `The ledger ${store} is busy: a lock was not free in time; nothing was changed.`,
  "Try again in a moment.",
];
const DENIED: Known = [
  "unavailable",
  (store) => `Postgres does not let this program into the ledger ${store}.`,
  "Check the user and password of its address.",
];

const KNOWN: Readonly<Record<string, Known>> = {
  "53100": [
    "disk_full",
    (store) => `The disk of the ledger ${store} is full; nothing was changed.`,
    "Free some space and try again.",
  ],
  "53200": ["unavailable", (store) => `Postgres has no memory left for the ledger ${store}.`, "Try again in a moment."],
  "53300": [
    "unavailable",
    (store) => `Postgres has no connection left for the ledger ${store}.`,
    "Raise max_connections, or run fewer servers on it.",
  ],
  "25006": [
    "read_only",
    (store) => `The ledger ${store} cannot be written: this Postgres is read-only.`,
    "It may be a standby: name the primary.",
  ],
  "42501": [
    "read_only",
    (store) => `The user of the ledger ${store} may not do this.`,
    "Give it the rights on the schema alai.",
  ],
  "3D000": ["unavailable", (store) => `There is no database at ${store}.`, "Create it (createdb), or name another."],
  "28000": DENIED,
  "28P01": DENIED,
  "55P03": BUSY,
  "57014": BUSY,
  "40001": BUSY,
  "40P01": BUSY,
  XX001: ["corrupt", (store) => `Postgres finds the data of the ledger ${store} damaged.`, "Restore it from a backup."],
  "58030": ["unavailable", (store) => `Postgres cannot read or write the ledger ${store}.`, "Check its disk."],
};
