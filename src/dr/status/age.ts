import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";

/** `3 s`, or a dash where it is not known. */
export function age(ms: Millis | null): string {
  if (ms === null) return "–";
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : span(ms);
}
