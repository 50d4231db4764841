import type { Millis } from "@alai/core";

const STEPS: readonly (readonly [unit: string, ms: Millis])[] = [
  ["y", 365 * 86_400_000],
  ["mo", 30 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** `in 5 min`, `3 d ago`: for people only. */
export function relative(at: Millis, now: Millis): string {
  // To the second first, so that 9 min 59.9 s is 10 min and not 9.
  const span = Math.round(Math.abs(at - now) / 1000) * 1000;
  const [unit, size] = STEPS.find(([, ms]) => span >= ms) ?? ["s", 1000];
  const amount = `${Math.round(span / size)} ${unit}`;
  return at >= now ? `in ${amount}` : `${amount} ago`;
}

/** A length of time: `10 min`, `2 h`. */
export function span(ms: Millis): string {
  return relative(ms, 0).replace(/^in /, "");
}
