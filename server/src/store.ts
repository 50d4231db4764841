import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { openSecurityStore, type SecurityStore } from "./auth/index.ts";
import type { ServedLedger } from "./http/call.ts";
import type { GaugeSource } from "./ops/index.ts";

/** Where the ledger is. */
export type StoreChoice =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string };

/** A ledger and what is kept beside it. */
export interface OpenStore {
  readonly ledger: ServedLedger;
  readonly security: SecurityStore;
  /** For people, without any password. */
  readonly name: string;
  /** Absent: opening it has checked the schema. */
  readonly migrated?: () => Promise<boolean>;
  readonly gauges: readonly GaugeSource[];
}

/** Opens it, brings its schema up to date, or throws StoreError. */
export function openStore(choice: StoreChoice): Promise<OpenStore> {
  return choice.kind === "sqlite" ? openFile(choice.file) : openDatabase(choice.url);
}

async function openFile(file: string): Promise<OpenStore> {
  const ledger = await SqliteLedger.open(file, { missing: "create" });
  return { ledger, security: await openSecurityStore({ file }), name: file, gauges: [] };
}

async function openDatabase(url: string): Promise<OpenStore> {
  const { PostgresLedger } = await import("./postgres/index.ts");
  const ledger = await PostgresLedger.open(url);
  return {
    ledger,
    security: await openSecurityStore({ pool: ledger.pool }),
    name: ledger.name,
    migrated: () => ledger.ready(),
    gauges: ledger.gauges(),
  };
}
