/** What the commands `alai token`, `alai audit` and `alai mc migrate` need: the store itself, no server. A bundle of its own. */
import { type Verdict, verifyChain } from "../audit/verify.ts";
import type { ServedLedger } from "../http/call.ts";
import { allEntries, type SecurityStore } from "./store/store.ts";

export type { AuditRow } from "../audit/entry.ts";
export type { Verdict } from "../audit/verify.ts";
export { createServiceToken, revokeServiceToken } from "./service/administer.ts";
export { openSecurityStore } from "./store/open.ts";
export type { SecurityStore, ServiceToken } from "./store/store.ts";

/** Walks the whole audit. @param remembered the head of an earlier walk. */
export function verifyAudit(store: SecurityStore, remembered?: string): Promise<Verdict> {
  return verifyChain({ rows: allEntries(store), head: () => store.head(), remembered });
}

/** The ledger in a Postgres database, its schema brought up to date. Throws StoreError. */
export async function openDatabaseLedger(url: string): Promise<ServedLedger> {
  const { PostgresLedger } = await import("../postgres/index.ts");
  return PostgresLedger.open(url);
}
