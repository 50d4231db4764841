import { type Millis, toIso } from "@alai/core";

/** A time as JSON and lines have it, or null; also null when a list was not asked for it. */
export function iso(ms: Millis | null | undefined): string | null {
  return ms === null || ms === undefined ? null : toIso(ms);
}
