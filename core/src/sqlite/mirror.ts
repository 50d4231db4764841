import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../refusal.ts";
import type { Millis } from "../time.ts";
import { fromSqlite } from "./errors.ts";
import type { Store } from "./store.ts";

/** What a mirror says of itself, in `alai_meta`. */
export interface MirrorMark {
  /** The server's address. */
  readonly url: string;
  /** The last moment at which it was as the server, by the clock of this machine. */
  readonly at: Millis;
  /** When it was last copied whole. */
  readonly copied: Millis;
}

export function mirrorRefusal(store: Store): StoreError {
  const { url } = JSON.parse(store.mirror ?? "{}") as MirrorMark;
  return new StoreError(
    "read_only",
    `${store.file} is a mirror of ${url}; it takes no changes.`,
    `Make the change there: ALAI_MC_URL=${url}`,
  );
}

/**
 * Makes a whole copy, which nobody has open, a mirror. Without WAL: it is one file then, and another can take its place
 * without meeting what was left beside the one before.
 */
export function makeMirror(file: string, mark: MirrorMark): void {
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    db.prepare("INSERT INTO alai_meta (key, value) VALUES ('mirror', ?)").run(JSON.stringify(mark));
    db.exec("PRAGMA journal_mode = DELETE");
  } catch (error) {
    throw fromSqlite(error, file);
  } finally {
    db.close();
  }
}

/** What a file says it is a mirror of, or null; only looks. Throws StoreError for a file that cannot be read. */
export function readMark(file: string): MirrorMark | null {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      const has = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'alai_meta'").get();
      const row = has && db.prepare("SELECT value FROM alai_meta WHERE key = 'mirror'").get();
      return row ? (JSON.parse(String(row.value)) as MirrorMark) : null;
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}
