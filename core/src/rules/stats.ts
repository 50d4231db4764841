import type { Millis } from "../time.ts";

export const WEEK: Millis = 7 * 24 * 3_600_000;

/** How many of the newest done tasks the median is taken of. */
export const MEDIAN_OF = 500;

/** The median of the spans that are one; null when none is. */
export function medianSpan(spans: readonly number[]): Millis | null {
  const sorted = spans.filter((span) => span >= 0).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
