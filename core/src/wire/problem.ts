import {
  BadInput,
  type Failure,
  type LeaseFacts,
  Refusal,
  type RefusalCode,
  StoreError,
  type StoreErrorCode,
} from "../refusal.ts";
import type { Millis } from "../time.ts";

/** RFC 9457 problem details: how a refusal crosses the wire and comes out as the same refusal. No schema library here. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  /** What to do about it. This API always says so; a server of before did not. */
  readonly hint?: string;
  /** The request's own path. */
  readonly instance?: string;
  readonly request_id?: string;
  readonly task?: number;
  readonly lease?: {
    readonly holder?: string;
    readonly until?: Millis;
    readonly seconds_left?: number;
    readonly fence?: number;
  };
  readonly failures?: readonly Failure[];
  /** Which part of the request is wrong, and why. */
  readonly errors?: readonly { readonly at: string; readonly message: string }[];
}

/** HTTP status by code. 409: the state says no; nothing was changed in any of these. */
export const REFUSAL_STATUS: Readonly<Record<RefusalCode, number>> = {
  held: 409,
  not_holder: 409,
  lease_expired: 409,
  fenced: 409,
  blocked: 409,
  not_open: 409,
  none_ready: 409,
  not_found: 404,
  evidence_required: 409,
  version_conflict: 412,
  constraint: 409,
  nothing_to_undo: 409,
  cycle: 409,
  timed_out: 409,
  key_reused: 422,
  in_flight: 409,
  pruned: 410,
};

const STORE_ERRORS: readonly StoreErrorCode[] = [
  "unavailable",
  "locked",
  "disk_full",
  "read_only",
  "corrupt",
  "not_a_ledger",
  "not_adopted",
  "too_new",
  "unsafe_sqlite",
];

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Sign-in needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  406: "Not acceptable",
  408: "Request timeout",
  409: "Refused because of the state",
  410: "Gone",
  412: "Changed since",
  413: "Too large",
  414: "URI too long",
  415: "Unsupported media type",
  417: "Expectation failed",
  422: "Key used for another request",
  428: "If-Match is missing",
  429: "Too many requests",
  431: "Headers too large",
  500: "A bug",
  503: "The store is unavailable",
};

/** @param status of the answer; @param code stable, for programs; @param detail one sentence for a person; @param hint what to do. */
export function problem(
  status: number,
  code: string,
  detail: string,
  hint: string,
  more: Partial<Problem> = {},
): Problem & { readonly hint: string } {
  return { type: `urn:alai:problem:${code}`, title: TITLES[status] ?? "Error", status, detail, code, hint, ...more };
}

/** The problem for what a ledger throws; null for anything else (a bug). */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Refusal) return ofRefusal(error);
  if (error instanceof BadInput)
    return problem(400, error.code, error.message, error.hint ?? "See /docs for what it takes.");
  if (error instanceof StoreError)
    return problem(503, error.code, error.message, error.hint ?? "Try again; the server's log says more.");
  return null;
}

function ofRefusal(refusal: Refusal): Problem {
  const { code, message, hint = "Look at what is there now, and decide anew.", taskId, lease, failures } = refusal;
  return problem(REFUSAL_STATUS[code], code, message, hint, {
    ...(taskId !== undefined && { task: taskId }),
    ...(lease && { lease: leaseFacts(lease) }),
    ...(failures && { failures }),
  });
}

function leaseFacts({ holder, until, secondsLeft, fence }: LeaseFacts): NonNullable<Problem["lease"]> {
  return {
    ...(holder !== undefined && { holder }),
    ...(until !== undefined && { until }),
    ...(secondsLeft !== undefined && { seconds_left: secondsLeft }),
    ...(fence !== undefined && { fence }),
  };
}

/** What a problem was on the other side: the same Refusal, BadInput or StoreError; null when it is none of the ledger's. */
export function errorOf(body: Problem): Refusal | BadInput | StoreError | null {
  if (isRefusalCode(body.code)) return refusalOf(body, body.code);
  if (body.code === "bad_input") return new BadInput(body.detail, body.hint);
  const code = STORE_ERRORS.find((known) => known === body.code);
  return code ? new StoreError(code, body.detail, body.hint) : null;
}

function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSAL_STATUS, code);
}

function refusalOf({ detail, hint, task, lease, failures }: Problem, code: RefusalCode): Refusal {
  return new Refusal(code, detail, {
    hint,
    ...(task !== undefined && { taskId: task }),
    ...(lease && {
      lease: { holder: lease.holder, until: lease.until, secondsLeft: lease.seconds_left, fence: lease.fence },
    }),
    ...(failures && { failures }),
  });
}

/** True for an answer that is a problem of this API and not some proxy's page. */
export function isProblem(body: unknown): body is Problem {
  const it = body as Partial<Problem> | null;
  return typeof it === "object" && it !== null && typeof it.code === "string" && typeof it.detail === "string";
}
