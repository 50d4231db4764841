import type { Millis } from "@alai/core";
import type { Target } from "./document.ts";

/** A person's word against the rules, for a time. */
export interface Override extends Target {
  readonly tier: string;
  readonly until: Millis;
  /** Who said so, when, and why. */
  readonly by: string;
  readonly at: Millis;
  readonly reason: string | null;
}

/** The override in force for a tier; null when there is none. `[at, until)`: at its end it is over. */
export function overrideFor(overrides: readonly Override[], tier: string, now: Millis): Override | null {
  return overrides.find((one) => one.tier === tier && now < one.until) ?? null;
}
