import type { Millis } from "@alai/core";
import type { Health } from "./health.ts";

/**
 * What `alai models watch` writes after each round: everything that `alai models route` and `status` need, so that neither asks
 * anybody nor reads the manifest. docs/models.md describes it for other programs. Times are UTC milliseconds since 1970.
 */
export interface StatusDocument {
  readonly version: 1;
  /** When the last round ended. Older than a few rounds: nobody watches. */
  readonly at: Millis;
  /** Who wrote it; null: nobody has looked at anything, this is only what the manifest says. */
  readonly watcher: { readonly pid: number; readonly since: Millis } | null;
  readonly interval: Millis;
  readonly timeout: Millis;
  readonly manifest: { readonly file: string; readonly hash: string };
  readonly endpoints: readonly EndpointStatus[];
  readonly tiers: readonly TierRule[];
}

export type EndpointKind = "ollama" | "openai" | "anthropic";

export interface EndpointStatus {
  readonly name: string;
  readonly host: string | null;
  readonly kind: EndpointKind;
  readonly url: string;
  readonly health: Health;
  /** Of the last look that got an answer; null: none yet. */
  readonly latency: Millis | null;
  /** False: it answers, and does not say which models it has without a key. */
  readonly listed: boolean;
  readonly models: readonly ModelStatus[];
}

export interface ModelStatus {
  readonly name: string;
  readonly health: Health;
}

/** A model at an endpoint. */
export interface Target {
  readonly endpoint: string;
  readonly model: string;
}

export interface TierRule extends Target {
  readonly name: string;
  readonly fallbacks: readonly (Target & { readonly onlyUnreachable: boolean })[];
}

const LEAST: Millis = 10_000;

/** How old the document is; null as long as its watcher can be thought alive: three rounds, with what each may take. */
export function staleFor({ at, interval, timeout }: StatusDocument, now: Millis): Millis | null {
  const limit = Math.max(LEAST, 3 * (interval + timeout));
  // Ahead of the clock by as much says as little of now.
  return Math.abs(now - at) > limit ? Math.abs(now - at) : null;
}
