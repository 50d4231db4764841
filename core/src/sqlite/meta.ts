import type { Store } from "./store.ts";

/**
 * What the ledger knows of itself beside its rows. `schema` and `columns` are read when it is opened, and so are `restoring`,
 * which is there while it is a copy with rows still to come, and `mirror`, which only a mirror of a server has.
 */
export type MetaKey = "columns" | "ledger" | "pruned" | "restoring" | "mirror";

/** Every ledger of this schema has these: throws when one is not there. */
function readMetaValue(store: Store, key: "ledger" | "pruned"): string {
  const row = store.get("SELECT value FROM alai_meta WHERE key = ?", key);
  if (!row) throw new Error(`${store.file}: alai_meta has no ${key}`);
  return String(row.value);
}

export function writeMetaValue(store: Store, key: MetaKey, value: string): void {
  store.run("INSERT OR REPLACE INTO alai_meta (key, value) VALUES (?, ?)", key, value);
}

export function hasMeta(store: Store, key: MetaKey): boolean {
  return store.get("SELECT 1 FROM alai_meta WHERE key = ?", key) !== undefined;
}

export function removeMeta(store: Store, key: MetaKey): void {
  store.run("DELETE FROM alai_meta WHERE key = ?", key);
}

/** The ledger's own id, the same in every copy of it. */
export function ledgerId(store: Store): string {
  return readMetaValue(store, "ledger");
}

/** The highest number up to which the journal is not complete any more. */
export function prunedThrough(store: Store): number {
  return Number(readMetaValue(store, "pruned"));
}
