import type { Subject } from "../subject.ts";

/** Tokens that were verified a moment ago: a signature costs more than all the rest of a request. */
export interface VerifiedTokens {
  get(digest: string, now: number): Subject | undefined;
  /** @param until milliseconds: not after the token's own end. */
  set(digest: string, subject: Subject, until: number): void;
}

const MOST = 10_000;

/** By the token's digest, so that no token is kept in memory. Bounded: who was not seen for longest goes first. */
export function verifiedTokens(most = MOST): VerifiedTokens {
  const kept = new Map<string, { readonly subject: Subject; readonly until: number }>();
  return {
    get(digest, now) {
      const found = kept.get(digest);
      if (!found) return undefined;
      kept.delete(digest);
      if (found.until <= now) return undefined;
      kept.set(digest, found);
      return found.subject;
    },
    set(digest, subject, until) {
      kept.set(digest, { subject, until });
      if (kept.size <= most) return;
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    },
  };
}
