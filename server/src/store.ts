import { BadInput, StoreError } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { readMark } from "@alai/core/sqlite/mirror";
import { checkFile } from "@alai/core/sqlite/open";
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
  /** Lets go of everything; what was under way is finished first. */
  close(): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Opens it, brings its schema up to date, or throws StoreError. */
export function openStore(choice: StoreChoice, env: Env): Promise<OpenStore> {
  return choice.kind === "sqlite" ? openFile(choice.file) : openDatabase(choice.url, connections(env));
}

/** How many connections this process may use beside the one that listens. Throws BadInput. */
function connections({ ALAI_DATABASE_CONNECTIONS: said }: Env): number | undefined {
  if (said === undefined || said === "") return undefined;
  const wanted = Number(said);
  if (/^\d{1,3}$/.test(said) && wanted >= FEWEST) return wanted;
  throw new BadInput(
    `ALAI_DATABASE_CONNECTIONS is ${said}, which is no number of connections.`,
    `Set it to a whole number from ${FEWEST} up; all replicas together must fit what the database allows.`,
  );
}

/** A batch of claims, a change and a reader must not wait for each other. */
const FEWEST = 3;

async function openFile(file: string): Promise<OpenStore> {
  refuseMirror(file);
  const ledger = await SqliteLedger.open(file, { missing: "create" });
  const security = await openSecurityStore({ file });
  return {
    ledger,
    security,
    name: file,
    gauges: [],
    async close() {
      await security.close();
      ledger.close();
    },
  };
}

/** Its keeper puts another file in its place now and then, and tokens and the audit could not be kept in it. */
function refuseMirror(file: string): void {
  const mark = checkFile(file) ? readMark(file) : null;
  if (mark)
    throw new StoreError(
      "read_only",
      `${file} is a mirror of ${mark.url}; it is not served.`,
      `Make it a ledger of its own first: alai mc migrate --from ${file} --to FILE`,
    );
}

async function openDatabase(url: string, limit: number | undefined): Promise<OpenStore> {
  const { PostgresLedger } = await import("./postgres/index.ts");
  const ledger = await PostgresLedger.open(url, limit === undefined ? {} : { connections: limit });
  return {
    ledger,
    security: await openSecurityStore({ pool: ledger.pool }),
    name: ledger.name,
    migrated: () => ledger.ready(),
    gauges: ledger.gauges(),
    close: () => ledger.closed(),
  };
}
