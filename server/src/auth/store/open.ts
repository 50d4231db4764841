import type { Pool } from "pg";
import { SqliteSecurityStore } from "./sqlite.ts";
import type { SecurityStore } from "./store.ts";

/** What to do where there is no ledger yet. */
type Missing = "create" | "fail";

/** Where the security store is: always where the ledger is. */
export type SecurityTarget =
  | { readonly file: string; readonly missing?: Missing }
  /** The pool of the server's ledger, whose schema is up to date. */
  | { readonly pool: Pool; readonly name?: string }
  /** For a command: a connection of its own, closed with the store. */
  | { readonly databaseUrl: string; readonly missing?: Missing };

/** Opens the store. Throws StoreError. */
export async function openSecurityStore(target: SecurityTarget): Promise<SecurityStore> {
  if ("file" in target) return SqliteSecurityStore.open(target.file, { missing: target.missing ?? "create" });
  const [{ PostgresSecurityStore }, { Database }] = await Promise.all([
    import("./postgres.ts"),
    import("../../postgres/database.ts"),
  ]);
  if ("pool" in target) return new PostgresSecurityStore(new Database(target.pool, target.name ?? "postgres"));
  const { DEFAULT_LIMITS, nameOf, openPool } = await import("../../postgres/connect.ts");
  const pool = openPool(target.databaseUrl, { ...DEFAULT_LIMITS, connections: 1 });
  const database = new Database(pool, nameOf(target.databaseUrl));
  try {
    if (target.missing !== "fail") await (await import("../../postgres/migrate.ts")).migrate(database);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return Object.assign(new PostgresSecurityStore(database), { close: () => pool.end() });
}
