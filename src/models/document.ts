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
  readonly watcher: Watcher | null;
  readonly interval: Millis;
  readonly timeout: Millis;
  readonly manifest: { readonly file: string; readonly hash: string };
  readonly endpoints: readonly EndpointStatus[];
  readonly tiers: readonly TierRule[];
}

export interface Watcher {
  readonly pid: number;
  readonly since: Millis;
  /** It looked once and ended, as it should: nobody is to be expected to look again. */
  readonly once?: boolean;
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
/** How long what one look by hand or by cron found is gone by. */
export const ONCE_HOLDS: Millis = 10 * 60_000;

/** How old the document is; null as long as it is gone by: while its watcher can be thought alive, or ten minutes for `--once`. */
export function staleFor(document: StatusDocument, now: Millis): Millis | null {
  return olderThan(document.watcher?.once ? ONCE_HOLDS : silence(document), document, now);
}

/** How old it is; null while a watcher that goes on can be thought alive: three rounds, with what each may take. */
export function unwatchedFor(document: StatusDocument, now: Millis): Millis | null {
  return olderThan(silence(document), document, now);
}

function silence({ interval, timeout }: StatusDocument): Millis {
  return Math.max(LEAST, 3 * (interval + timeout));
}

function olderThan(limit: Millis, { at }: StatusDocument, now: Millis): Millis | null {
  // Ahead of the clock by as much says as little of now.
  const age = Math.abs(now - at);
  return age > limit ? age : null;
}
