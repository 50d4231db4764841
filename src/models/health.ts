import type { Millis } from "@alai/core";

/** Why an endpoint or a model does not answer. Only `connection` means that the host cannot be reached at all. */
export type TroubleKind = "connection" | "timeout" | "http" | "missing";

export interface Trouble {
  readonly kind: TroubleKind;
  /** A part of a sentence: "nothing listens there". */
  readonly message: string;
}

/** What is believed of an endpoint or of a model there. */
export interface Health {
  readonly state: "up" | "down" | "unknown";
  /** Since when it is so; null while unknown. */
  readonly since: Millis | null;
  /** Looks in a row that found it, and that did not: one of the two is 0, neither is above ENOUGH. */
  readonly hits: number;
  readonly misses: number;
  /** Of the last miss; null when the last look found it. */
  readonly trouble: Trouble | null;
}

/** So many looks in a row change what is believed: one lost packet must not move every agent to another host. */
const ENOUGH = 2;

export const UNKNOWN: Health = { state: "unknown", since: null, hits: 0, misses: 0, trouble: null };

/** What is believed after one more look. @param trouble null: it was found. @param at when that was. */
export function afterLook(health: Health, trouble: Trouble | null, at: Millis): Health {
  const hits = trouble ? 0 : Math.min(ENOUGH, health.hits + 1);
  const misses = trouble ? Math.min(ENOUGH, health.misses + 1) : 0;
  const state = hits === ENOUGH ? "up" : misses === ENOUGH ? "down" : health.state;
  return { state, since: state === health.state ? health.since : at, hits, misses, trouble };
}
