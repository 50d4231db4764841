import type { Millis } from "@alai/core";

/** Longest time between two looks at a lease: one that runs out makes no event that would wake us. */
export const LONGEST_PAUSE: Millis = 500;
