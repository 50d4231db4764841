/** What happened beside the journal: who was refused, what admins did, when the server came and went. */
export { type Audit, createAudit } from "./audit.ts";
export type { AuditInput, AuditRow, Outcome } from "./entry.ts";
export { type Verdict, verifyChain } from "./verify.ts";
