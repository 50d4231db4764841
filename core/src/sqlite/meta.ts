import type { Store } from "./store.ts";

/** What the ledger knows of itself beside its rows: `schema` and `columns` (read when it is opened), and these. */
export type MetaKey = "ledger" | "pruned";

/** Throws when the key is not there: every ledger of this schema has all of them. */
export function readMetaValue(store: Store, key: MetaKey): string {
  const row = store.get("SELECT value FROM alai_meta WHERE key = ?", key);
  if (!row) throw new Error(`${store.file}: alai_meta has no ${key}`);
  return String(row.value);
}

export function writeMetaValue(store: Store, key: MetaKey, value: string): void {
  store.run("UPDATE alai_meta SET value = ? WHERE key = ?", value, key);
}

/** The ledger's own id, the same in every copy of it. */
export function ledgerId(store: Store): string {
  return readMetaValue(store, "ledger");
}

/** The highest number up to which the journal is not complete any more. */
export function prunedThrough(store: Store): number {
  return Number(readMetaValue(store, "pruned"));
}
