import type { Millis } from "@alai/core";
import type { Scope } from "@alai/core/wire/scopes";
import type { ChainHead } from "../../audit/chain.ts";
import type { AuditEntry, AuditRow } from "../../audit/entry.ts";

/** A service token as it is kept: everything but the token. */
export interface ServiceToken {
  readonly name: string;
  /** SHA-256 of the whole token, hex. It has 256 random bits, so no salt and no slow hash is needed. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly actor: string;
  readonly mayActForOthers: boolean;
  readonly createdAt: Millis;
  readonly expiresAt: Millis | null;
  readonly revokedAt: Millis | null;
  /** Kept to the hour. */
  readonly lastUsed: Millis | null;
}

/** Entries that are put at the end of the chain together. */
export interface Batch {
  readonly entries: readonly AuditEntry[];
  /** Where the chain would have ended after the last try. Kept by `append`, for a try whose answer was lost. */
  tried?: ChainHead;
}

/** Service tokens and the audit, beside the ledger in the same store. Throws StoreError. */
export interface SecurityStore {
  /** All there ever were, by name. */
  tokens(): Promise<ServiceToken[]>;
  /** Keeps a token and its entry in one transaction. False when a token of that name stands already. */
  addToken(token: ServiceToken, entry: AuditEntry): Promise<boolean>;
  /** Revokes the token that stands under the name. False when there is none; then no entry is kept. */
  revokeToken(name: string, at: Millis, entry: AuditEntry): Promise<boolean>;
  /** Notes when tokens were used last. @param uses hash to time. */
  touchTokens(uses: ReadonlyMap<string, Millis>): Promise<void>;
  /**
   * Puts a batch at the end of the chain, all or none, and once: after an error the same batch may be given again, whether or
   * not it was kept. Several processes may do so at once.
   */
  append(batch: Batch): Promise<void>;
  /** The chain's end as the store keeps it beside the entries; null when nothing was ever kept. */
  head(): Promise<ChainHead | null>;
  /** Entries with a number above `after`, in order, at most `limit`. */
  entries(after: number, limit: number): Promise<AuditRow[]>;
  close(): Promise<void>;
}

const PAGE = 500;

/** Every entry from the first on, a page at a time. */
export async function* allEntries(store: SecurityStore, after = 0): AsyncGenerator<AuditRow> {
  for (;;) {
    const page = await store.entries(after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.seq ?? after;
  }
}
