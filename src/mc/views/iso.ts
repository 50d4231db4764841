import { type Millis, toIso } from "@alai/core";

/** A time as JSON and lines have it, or null. */
export function iso(ms: Millis | null): string | null {
  return ms === null ? null : toIso(ms);
}
