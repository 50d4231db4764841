import { monotonic } from "@alai/core/monotonic";
import type { TokenChecker } from "../checker.ts";
import { authUnavailable, invalidToken } from "../refuse.ts";
import type { SecurityStore, ServiceToken } from "../store/store.ts";
import type { Subject } from "../subject.ts";
import { hashToken, isSameHash, isServiceToken } from "./token.ts";
import { createUsage } from "./usage.ts";

export interface ServiceCheckerOptions {
  readonly clock?: () => number;
  /** Milliseconds that no one sets, for ages. */
  readonly ticks?: () => number;
  readonly warn?: (message: string, error?: unknown) => void;
}

export interface ServiceChecker extends TokenChecker {
  /** Keeps when tokens were used last. */
  close(): Promise<void>;
}

/** After so long the tokens are read again, while requests go on with those at hand. */
const FRESH = 4_000;
/** After so long nothing is answered from those at hand: a revoked token is refused within 10 s on every replica. */
const STALE = 9_000;
/** An unknown token may be a new one: then the store is asked, but no oftener than this, whoever makes tokens up. */
const UNKNOWN = 1_000;

interface Known {
  readonly token: ServiceToken;
  readonly subject: Subject;
}

/** Checks service tokens against the store's list, which is kept in memory for some seconds. */
export function serviceChecker(
  store: Pick<SecurityStore, "tokens" | "touchTokens">,
  { clock = Date.now, ticks = monotonic, warn = () => {} }: ServiceCheckerOptions = {},
): ServiceChecker {
  const usage = createUsage(store, clock, warn);
  let known: ReadonlyMap<string, Known> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  const read = (): Promise<void> => {
    reading ??= (async () => {
      const began = ticks();
      try {
        const tokens = await store.tokens();
        known = new Map(tokens.map((token) => [token.hash, { token, subject: subjectOf(token) }]));
        // When the question was asked, not when it was answered: what was revoked meanwhile may not be in the answer.
        readAt = began;
      } finally {
        reading = null;
      }
    })();
    return reading;
  };
  const readOr503 = async () => {
    try {
      await read();
    } catch (error) {
      throw authUnavailable(`service tokens cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  };
  /** Brings the list to an age that may be answered from. */
  const refresh = async () => {
    const age = ticks() - readAt;
    if (age > STALE) await readOr503();
    else if (age > FRESH && !reading) read().catch((error) => warn("service tokens cannot be read", error));
  };
  const find = async (digest: string): Promise<Known> => {
    await refresh();
    if (!known.has(digest) && ticks() - readAt > UNKNOWN) await readOr503();
    const found = known.get(digest);
    if (found && isSameHash(found.token.hash, digest)) return found;
    throw invalidToken("service token unknown");
  };
  return {
    description: "service tokens",
    async check(text) {
      if (!isServiceToken(text)) throw invalidToken("service token with a wrong checksum");
      const { token, subject } = await find(hashToken(text));
      if (token.revokedAt !== null) throw invalidToken(`service token ${token.name} is revoked`);
      if (token.expiresAt !== null && token.expiresAt <= clock())
        throw invalidToken(`service token ${token.name} has expired`);
      usage.note(token);
      return subject;
    },
    close: () => usage.close(),
  };
}

function subjectOf(token: ServiceToken): Subject {
  return {
    id: `service|${token.name}`,
    actor: token.actor,
    scopes: new Set(token.scopes),
    mayActForOthers: token.mayActForOthers || token.scopes.includes("admin"),
  };
}
