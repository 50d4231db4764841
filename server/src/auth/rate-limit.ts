import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { networkOf } from "../audit/address.ts";
import { isLoopback } from "./loopback.ts";
import { recent } from "./recent.ts";
import type { Subject } from "./subject.ts";

/** How often. 0 is no limit. docs/decisions/2026-11-21-rate-limit.md says why this is our own. */
export interface RateLimits {
  /** Requests of one subject. */
  readonly perSecond: number;
  /** Requests of one subject at once, after a pause. */
  readonly burst: number;
  /** Refused sign-ins of one network. */
  readonly failuresPerMinute: number;
  /** All requests of one network, whoever they are from. */
  readonly perNetwork: number;
}

/** Far above what a fleet of hooks under one token asks for; a loop that went wild is held. */
export const RATE_DEFAULTS: RateLimits = { perSecond: 600, burst: 600, failuresPerMinute: 600, perNetwork: 3000 };

/** What a bucket says to one request. */
export interface Verdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the bucket is full again. */
  readonly reset: number;
  /** Whole seconds until the next request may come. */
  readonly retryAfter: number;
}

interface Bucket {
  tokens: number;
  at: Millis;
}

/** Subjects and networks that are counted at a time. Who was not seen for long is forgotten: its bucket is full by then. */
const MOST = 10_000;

/** Token buckets by name. @param rate tokens a second; @param size tokens of a full bucket. */
export function buckets(rate: number, size: number, ticks: () => Millis = monotonic) {
  const kept = recent<Bucket>(MOST);
  return (name: string): Verdict => {
    const now = ticks();
    const found = kept.get(name);
    const bucket = found ?? { tokens: size, at: now };
    if (!found) kept.set(name, bucket);
    bucket.tokens = Math.min(size, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return {
      allowed,
      limit: size,
      remaining: Math.floor(bucket.tokens),
      reset: Math.ceil((size - bucket.tokens) / rate),
      retryAfter: allowed ? 0 : Math.max(1, Math.ceil((1 - bucket.tokens) / rate)),
    };
  };
}

/** The limits of one process: several replicas let through so many times as much. */
export interface RateLimiter {
  /** A request of someone who is known; null where there is no limit. */
  take(subject: Subject): Verdict | null;
  /** A request that just arrived, from anyone; null where there is no limit. This machine's own have none. */
  arrive(address: string): Verdict | null;
  /** A refused sign-in; null where there is no limit. Only what is refused is counted, so a neighbour behind the same address is not locked out. */
  fail(address: string): Verdict | null;
}

/** The part of an address that one customer of a network has. */
const CUSTOMER = { v4: 24, v6: 56 };

export function rateLimiter(limits: RateLimits = RATE_DEFAULTS, ticks?: () => Millis): RateLimiter {
  const { perSecond, burst, failuresPerMinute, perNetwork } = limits;
  const arrivals = perNetwork > 0 ? buckets(perNetwork, perNetwork, ticks) : null;
  const requests = perSecond > 0 ? buckets(perSecond, Math.max(1, burst), ticks) : null;
  const failures = failuresPerMinute > 0 ? buckets(failuresPerMinute / 60, failuresPerMinute, ticks) : null;
  return {
    // Nobody signs in on an open server: there, all of this machine would be one subject.
    take: (subject) => (requests && subject.id !== "open" ? requests(subject.id) : null),
    arrive: (address) => (arrivals && !isLoopback(address) ? arrivals(networkOf(address, CUSTOMER)) : null),
    fail: (address) => failures?.(networkOf(address, CUSTOMER)) ?? null,
  };
}

/** The headers of an answer. */
export function rateHeaders({ allowed, limit, remaining, reset, retryAfter }: Verdict): Record<string, string> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(reset),
    ...(!allowed && { "retry-after": String(retryAfter) }),
  };
}
