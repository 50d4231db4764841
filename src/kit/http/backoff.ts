import type { Millis } from "@alai/core";

const FIRST: Millis = 100;
const LONGEST: Millis = 2000;

/** Statuses after which the same request may get another answer in a moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** The pause before the next try: doubled each time, and jittered so that clients which failed together do not come back together. */
export function backoff(tries: number, random: () => number = Math.random): Millis {
  return Math.min(LONGEST, FIRST * 2 ** (tries - 1)) * (0.5 + random() / 2);
}

/** What a `Retry-After` asks for; 0 when it is absent or unreadable. @param now wall clock, for a date. */
export function retryAfter(header: string | undefined, now: Millis): Millis {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}
