import type { Millis } from "./time.ts";

/** A clock that no one sets: milliseconds from some start, for measuring spans. `performance.now()` takes Node 5 ms to load. */
export function monotonic(): Millis {
  return Number(process.hrtime.bigint()) / 1e6;
}
