import type { SecurityStore } from "@alai/server/admin";
import type { Context } from "../kit/context.ts";
import { serverStore } from "../mc/server-store.ts";

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
  const where = serverStore(context, databaseUrl);
  const { openSecurityStore } = await loadAdmin();
  const store = await openSecurityStore(
    where.kind === "postgres" ? { databaseUrl: where.url, missing } : { file: where.file, missing },
  );
  context.onExit(() => void store.close());
  return store;
}

/** Who does this, for the audit. `--actor` is the token's here, not the caller's. */
export async function localSubject(context: Context): Promise<string> {
  const { whoAmI } = await import("../kit/identity.ts");
  const { actor } = whoAmI({}, context.env, context.settings().get("actor") as string | undefined);
  return `local|${actor}`;
}
