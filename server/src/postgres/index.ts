export { PostgresLedger, type PostgresOptions } from "./ledger.ts";
