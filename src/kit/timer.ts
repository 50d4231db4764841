import type { Millis } from "@alai/core";

/** The longest that a runtime's timer takes, 24.8 days: given more it fires at once. */
const LONGEST: Millis = 2 ** 31 - 1;

/** A length of time that a timer can be set to. What ends after 24.8 days instead of a year ends late enough. */
export function timerLength(ms: Millis): Millis {
  return Math.min(ms, LONGEST);
}
