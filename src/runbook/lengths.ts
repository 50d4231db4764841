import type { Millis } from "@alai/core";

const UNITS: readonly (readonly [unit: string, ms: Millis])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** A length of time without rounding, as the manifest means it: `36 h`, `90 s`. */
export function exactly(ms: Millis): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ["ms", 1];
  return `${ms / size} ${unit}`;
}

/** What a drill measured: `12.6 s`, `4 min 10 s`. */
export function measured(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A size for people: `432.0 MB`. */
export function bytes(size: number): string {
  if (size >= 1e9) return `${(size / 1e9).toFixed(2)} GB`;
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)} MB`;
  return size >= 1e3 ? `${(size / 1e3).toFixed(1)} kB` : `${size} B`;
}
