import type { Millis } from "./time.ts";

/** Refused because of the state: the request was right, the ledger says no. Exit 1, or 5 for `fenced`, 3 for `not_found`. */
export type RefusalCode =
  | "held"
  | "not_holder"
  | "lease_expired"
  | "fenced"
  | "blocked"
  | "not_open"
  | "none_ready"
  | "not_found"
  | "evidence_required"
  | "version_conflict"
  | "constraint"
  | "nothing_to_undo"
  | "cycle"
  | "timed_out"
  | "key_reused"
  | "in_flight"
  | "pruned";

/** Who stands in the way, for a refusal that names a lease. */
export interface LeaseFacts {
  readonly holder?: string | undefined;
  readonly until?: Millis | undefined;
  readonly secondsLeft?: number | undefined;
  readonly fence?: number | undefined;
}

/** What one task of several answered. */
export interface Failure {
  readonly id: number;
  readonly code: RefusalCode;
  readonly message: string;
}

/** By name: the server's bundle has its own copy of these classes, and the CLI must know them all the same. */
function isNamed(value: unknown, name: string): boolean {
  return value instanceof Error && value.name === name;
}

/** A typed no. `message` is one sentence for a person; it never names a command that evicts a holder (claims.md §b.9). */
export class Refusal extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, "Refusal");
  }

  readonly code: RefusalCode;
  readonly hint: string | undefined;
  readonly taskId: number | undefined;
  readonly lease: LeaseFacts | undefined;
  readonly failures: readonly Failure[] | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    options: {
      hint?: string | undefined;
      taskId?: number;
      lease?: LeaseFacts | undefined;
      failures?: readonly Failure[];
    } = {},
  ) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.hint = options.hint;
    this.taskId = options.taskId;
    this.lease = options.lease;
    this.failures = options.failures;
  }
}

export type StoreErrorCode =
  | "unavailable"
  | "locked"
  | "disk_full"
  | "read_only"
  | "corrupt"
  | "not_a_ledger"
  | "not_adopted"
  | "too_new"
  | "unsafe_sqlite";

/** The store could not answer. Exit 69, never 1: an outage must not look like "held". Nothing was changed. */
export class StoreError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, "StoreError");
  }

  readonly code: StoreErrorCode;
  readonly hint: string | undefined;

  constructor(code: StoreErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreError";
    this.code = code;
    this.hint = hint;
  }
}

/** The caller asked for something that cannot be: exit 64. */
export class BadInput extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isNamed(value, "BadInput");
  }

  readonly code = "bad_input";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "BadInput";
    this.hint = hint;
  }
}

export function badInput(message: string, hint?: string): BadInput {
  return new BadInput(message, hint);
}

export function notFound(id: number): Refusal {
  return new Refusal("not_found", `There is no task ${id}.`, {
    taskId: id,
    hint: "Type `alai mc list --all` to see the tasks there are.",
  });
}
