import { resolve } from "node:path";
import type { SecurityStore } from "@alai/server/admin";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { ledgerFile } from "../mc/open.ts";

/** The flag beside `--db` of commands that work on a server's store itself. */
export const DATABASE_URL_FLAG = {
  databaseUrl: { value: "URL", summary: "Postgres instead of a file (DATABASE_URL)" },
} as const;

/** The part of the server that these commands use: loaded when one of them runs. */
export const loadAdmin = () => import("@alai/server/admin");

/**
 * Opens tokens and audit where `alai serve` with the same flags has them; closed when the command ends. Throws StoreError.
 * @param purpose a command that only reads makes no file.
 */
export async function openSecurity(
  context: Context,
  databaseUrl: string | undefined,
  purpose: "read" | "write",
): Promise<SecurityStore> {
  const { env, flags } = context;
  if (databaseUrl !== undefined && flags.db !== undefined)
    throw usage("--db and --database-url contradict each other.", "Leave one of them out.");
  const url = databaseUrl ?? (flags.db === undefined ? env.DATABASE_URL : undefined);
  const { openSecurityStore } = await loadAdmin();
  const store = await openSecurityStore(
    url
      ? { databaseUrl: url }
      : { file: resolve(context.cwd, ledgerFile(context)), missing: purpose === "write" ? "create" : "fail" },
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
