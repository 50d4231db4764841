import { readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { OpenOptions } from "@alai/core/sqlite/open";
import { afterEach, beforeEach } from "vitest";
import { folder } from "./folder.ts";

/** A temporary folder for each test of a file, and the ledgers opened in it; all gone after the test. */
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
    async open(name: string, options: Partial<OpenOptions> = {}): Promise<SqliteLedger> {
      const ledger = await SqliteLedger.open(path(name), { missing: "create", ...options });
      opened.push(ledger);
      return ledger;
    },
    /** Runs `body` on a connection of its own. */
    withDb<T>(name: string, body: (db: DatabaseSync) => T): T {
      const db = new DatabaseSync(path(name), { timeout: 5000 });
      try {
        return body(db);
      } finally {
        db.close();
      }
    },
    backups: () => readdirSync(temp.path).filter((name) => name.includes(".backup-")),
  };
}
