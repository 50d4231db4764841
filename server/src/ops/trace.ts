import { randomFillSync } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Where a request stands in the caller's trace (W3C Trace Context). */
export interface Trace {
  /** 32 hex digits, of the whole trace. */
  readonly traceId: string;
  /** 16 hex digits, of this request. */
  readonly spanId: string;
  /** The caller's span; null when the trace begins here. */
  readonly parentId: string | null;
  readonly sampled: boolean;
}

const PARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/** Reads `traceparent`. Null when it does not hold to the standard: it is then ignored. Later versions may have more behind. */
export function parseTraceparent(
  header: string | string[] | undefined,
): Pick<Trace, "traceId" | "parentId" | "sampled"> | null {
  if (typeof header !== "string") return null;
  const [, version, traceId, parentId, flags, more] = PARENT.exec(header) ?? [];
  if (!version || !traceId || !parentId || !flags) return null;
  if (version === "ff" || (version === "00" && more !== undefined)) return null;
  if (traceId === NO_TRACE || parentId === NO_SPAN) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** Set once when spans are recorded: traces that begin here are then marked as sampled. */
let recording = false;
export function recordTraces(on: boolean): void {
  recording = on;
}

const traces = new WeakMap<IncomingMessage, Trace>();

/** The trace of a request: the caller's, or a new one; the same at every call. */
export function traceOf(request: IncomingMessage): Trace {
  const known = traces.get(request);
  if (known) return known;
  const caller = parseTraceparent(request.headers.traceparent);
  const trace = {
    traceId: caller?.traceId ?? hex(16),
    spanId: hex(8),
    parentId: caller?.parentId ?? null,
    sampled: caller?.sampled ?? recording,
  };
  traces.set(request, trace);
  return trace;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's `x-request-id` when it is one that may stand in logs and headers, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : hex(8);
}

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Random hex digits, from a pool: one call for random bytes serves a hundred requests. */
function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}
