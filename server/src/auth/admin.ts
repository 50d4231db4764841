/** What the commands `alai token` and `alai audit` need: the store itself, no server. A bundle of its own. */
import { type Verdict, verifyChain } from "../audit/verify.ts";
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
