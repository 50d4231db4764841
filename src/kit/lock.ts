import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromSqlite } from "@alai/core/sqlite/errors";
import { retryBusy } from "@alai/core/sqlite/retry";

/**
 * Runs `body` while no other process runs one under the same name. SQLite's file lock: the system drops it when a process
 * dies, so there is no stale lock to clean up.
 * @param limit milliseconds to wait. Throws StoreError `locked` after that.
 */
export async function withLock<T>(dir: string, name: string, body: () => T | Promise<T>, limit = 5000): Promise<T> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${name}.lock`);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    await retryBusy(() => db.exec("BEGIN EXCLUSIVE"), limit);
    return await body();
  } catch (error) {
    throw fromSqlite(error, file);
  } finally {
    db.close();
  }
}
