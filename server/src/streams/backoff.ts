import type { Millis } from "@alai/core";

/** How long to wait after so many failures in a row: 50 ms doubling to 5 s, and jitter so that not all come back at once. */
export function backoff(failures: number): Millis {
  return Math.min(5000, 50 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}
