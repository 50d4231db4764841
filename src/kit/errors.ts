import { BadInput, type LeaseFacts, Refusal, type RefusalCode, StoreError, toIso } from "@alai/core";
import { EXIT } from "./exit.ts";

/** What every failed command says, whatever went wrong. */
export interface Failure {
  readonly exit: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  /** More sentences, between the message and the hint. */
  readonly lines?: readonly string[];
  /** More for `--json`: holder, fence, which of several tasks failed. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The stack, for a bug. */
  readonly stack?: string | undefined;
}

/** The command line is wrong: exit 64. `hint` is what to type. */
export function usage(message: string, hint?: string): BadInput {
  return new BadInput(message, hint);
}

/** Ends the command with a code and, when there is one, a sentence on stderr. */
export class Exit extends Error {
  readonly exit: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly more: Pick<Failure, "lines" | "details">;

  constructor(exit: number, code: string, message = "", hint?: string, more: Pick<Failure, "lines" | "details"> = {}) {
    super(message);
    this.name = "Exit";
    this.exit = exit;
    this.code = code;
    this.hint = hint;
    this.more = more;
  }
}

const REFUSALS: Readonly<Partial<Record<RefusalCode, number>>> = { fenced: EXIT.fenced, not_found: EXIT.notFound };

/** The one place where errors become exit codes. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Refusal) return refusalFailure(error);
  if (error instanceof StoreError)
    return { exit: EXIT.unavailable, code: error.code, message: error.message, hint: error.hint };
  if (error instanceof BadInput) return { exit: EXIT.usage, code: "usage", message: error.message, hint: error.hint };
  if (error instanceof Exit)
    return { exit: error.exit, code: error.code, message: error.message, hint: error.hint, ...error.more };
  if (isCancelledPrompt(error))
    return { exit: EXIT.interrupted, code: "interrupted", message: "Interrupted.", hint: undefined };
  if (isFileError(error))
    return {
      exit: EXIT.unavailable,
      code: "unavailable",
      message: `A file could not be used: ${error.message}.`,
      hint: "Check the path, its permissions and the space on its disk.",
    };
  const stack = error instanceof Error ? error.stack : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return {
    exit: EXIT.bug,
    code: "bug",
    message: `This is a bug in alai: ${message}`,
    hint: "Run it again with --debug and report what it prints.",
    stack,
  };
}

function refusalFailure(error: Refusal): Failure {
  const details = {
    ...(error.taskId !== undefined && { id: error.taskId }),
    ...(error.lease && leaseDetails(error.lease)),
    ...(error.failures && { failures: error.failures }),
  };
  return {
    exit: REFUSALS[error.code] ?? EXIT.refused,
    code: error.code,
    message: error.message,
    hint: error.hint,
    details,
  };
}

function leaseDetails(lease: LeaseFacts): Record<string, unknown> {
  return {
    ...(lease.holder !== undefined && { holder: lease.holder }),
    ...(lease.until !== undefined && { until: toIso(lease.until) }),
    ...(lease.secondsLeft !== undefined && { seconds_left: lease.secondsLeft }),
    ...(lease.fence !== undefined && { fence: lease.fence }),
  };
}

/** What the file system refuses is the user's to mend, not a bug. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  const codes = [
    "ENOENT",
    "EACCES",
    "EPERM",
    "EROFS",
    "ENOSPC",
    "ENOTDIR",
    "EISDIR",
    "EEXIST",
    "EIO",
    "ELOOP",
    "ENAMETOOLONG",
    "EDQUOT",
    "EMFILE",
  ];
  return error instanceof Error && "code" in error && codes.includes(String(error.code)) && "syscall" in error;
}

/** @inquirer/prompts throws this by name; comparing the name keeps the library out of the start-up path. */
function isCancelledPrompt(error: unknown): boolean {
  return error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError");
}
