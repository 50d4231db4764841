import type { Millis } from "@alai/core";

const UNITS = [
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"],
] as const;

/** A length of time as Go reads it, in the longest unit that is exact: `168h`, `90s`, `250ms`. Go knows no days. */
export function goDuration(ms: Millis): string {
  const [unit, letter] = UNITS.find(([length]) => ms % length === 0) ?? [1, "ms"];
  return `${ms / unit}${letter}`;
}
