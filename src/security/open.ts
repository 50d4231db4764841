import type { SecurityStore } from "@alai/server/admin";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { announceNew, serverStore } from "../mc/server-store.ts";

/** The part of the server that these commands use: loaded when one of them runs. */
export const loadAdmin = () => import("@alai/server/admin");

/**
 * Opens tokens and audit where `alai serve` with the same flags has them; closed when the command ends. Throws StoreError.
 * @param missing whether a ledger is made where there is none: only the first token needs one.
 */
export async function openSecurity(
  context: Context,
  databaseUrl: string | undefined,
  missing: "create" | "fail",
): Promise<SecurityStore> {
  requireOwnStore(context, databaseUrl);
  const where = serverStore(context, databaseUrl);
  if (where.kind === "sqlite" && missing === "create") announceNew(context, where.file);
  const { openSecurityStore } = await loadAdmin();
  const store = await openSecurityStore(
    where.kind === "postgres" ? { databaseUrl: where.url, missing } : { file: where.file, missing },
  );
  context.onExit(() => void store.close());
  return store;
}

/** Tokens and audit are beside the server's own store: made elsewhere, they would be nobody's. */
function requireOwnStore({ env, flags }: Context, databaseUrl: string | undefined): void {
  if (!env.ALAI_MC_URL || flags.db !== undefined || databaseUrl !== undefined || env.DATABASE_URL) return;
  throw usage(
    "ALAI_MC_URL names a server; its tokens and its audit are kept in that server's own store.",
    "Type it where the server runs, with --db FILE or --database-url URL; for this machine's own ledger unset ALAI_MC_URL.",
  );
}

/** Who does this, for the audit. `--actor` is the token's here, not the caller's. */
export async function localSubject(context: Context): Promise<string> {
  const { whoAmI } = await import("../kit/identity.ts");
  const { actor } = whoAmI({}, context.env, context.settings().get("actor") as string | undefined);
  return `local|${actor}`;
}
