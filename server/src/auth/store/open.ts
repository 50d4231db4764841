import type { Pool } from "pg";
import { SqliteSecurityStore } from "./sqlite.ts";
import type { SecurityStore } from "./store.ts";

/** Where the security store is: always where the ledger is. */
export type SecurityTarget =
  | { readonly file: string; readonly missing?: "create" | "fail" }
  /** The pool of the server's ledger. */
  | { readonly pool: Pool }
  /** For a command: a connection of its own, closed with the store. */
  | { readonly databaseUrl: string };

/** Opens the store. Throws StoreError. */
export async function openSecurityStore(target: SecurityTarget): Promise<SecurityStore> {
  if ("file" in target) return SqliteSecurityStore.open(target.file, { missing: target.missing ?? "create" });
  const { PostgresSecurityStore } = await import("./postgres.ts");
  if ("pool" in target) return new PostgresSecurityStore(target.pool);
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: target.databaseUrl, max: 1, connectionTimeoutMillis: 10_000 });
  // Without a listener the loss of an idle connection would end the process.
  pool.on("error", () => {});
  const store = new PostgresSecurityStore(pool);
  return Object.assign(store, { close: () => pool.end() });
}
