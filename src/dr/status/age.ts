import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";

/** `3 s`, or a dash where it is not known. */
export function age(ms: Millis | null): string {
  if (ms === null) return "–";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  // 61 s of 60 s allowed must not read as 1 min of 1 min.
  return ms < 600_000 ? `${Math.round(ms / 1000)} s` : span(ms);
}
