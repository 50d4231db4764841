export { type AdoptionPlan, adopt, planAdoption } from "./adopt.ts";
export { SqliteLedger } from "./ledger.ts";
export { type OpenOptions, openStore } from "./open.ts";
export { isSafeForWal } from "./safety.ts";
export type { Failpoint } from "./store.ts";
