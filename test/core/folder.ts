import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { OpenOptions } from "@alai/core/sqlite/open";
import { afterEach, beforeEach } from "vitest";

/** A temporary folder of a test. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "alai-core-"));
  return {
    path,
    file: (name: string) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A temporary folder for each test of a file, and the ledgers in it: closed and gone after the test. */
export function ledgers() {
  let temp: ReturnType<typeof folder>;
  const opened: SqliteLedger[] = [];
  beforeEach(() => {
    temp = folder();
  });
  afterEach(() => {
    for (const ledger of opened.splice(0)) ledger.close();
    temp.remove();
  });
  const path = (name: string) => temp.file(name);
  return {
    path,
    /** Opens the ledger of this name, or at this path. */
    async open(name: string, options: Partial<OpenOptions> = {}): Promise<SqliteLedger> {
      const file = name.startsWith(temp.path) ? name : path(name);
      const ledger = await SqliteLedger.open(file, { missing: "create", ...options });
      opened.push(ledger);
      return ledger;
    },
    /** Runs `body` on a connection of its own. */
    withDb<T>(name: string, body: (db: DatabaseSync) => T): T {
      const db = new DatabaseSync(name.startsWith(temp.path) ? name : path(name), { timeout: 5000 });
      try {
        return body(db);
      } finally {
        db.close();
      }
    },
    /** Names of the files that are backups. */
    backups: () => readdirSync(temp.path).filter((name) => name.includes(".backup-")),
  };
}
