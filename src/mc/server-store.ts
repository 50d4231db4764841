import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { locateFile } from "./open.ts";

/** The flag beside `--db` of commands that work on a server's store itself. */
export const DATABASE_URL_FLAG = {
  databaseUrl: { value: "URL", summary: "Postgres instead of a file (DATABASE_URL)" },
} as const;

/** What `alai serve` with the same flags serves: `--database-url` > `--db` > `DATABASE_URL` > the local ledger's file. */
export function serverStore(context: Context, databaseUrl: string | undefined) {
  const { env, flags } = context;
  if (databaseUrl !== undefined && flags.db !== undefined)
    throw usage("--db and --database-url contradict each other.", "Leave one of them out.");
  const url = databaseUrl ?? (flags.db === undefined ? env.DATABASE_URL : undefined);
  if (url && !/^postgres(ql)?:\/\//.test(url))
    throw usage("The database's address is not one of Postgres.", "Type --database-url postgres://USER@HOST/NAME.");
  return url ? ({ kind: "postgres", url } as const) : ({ kind: "sqlite", file: locateFile(context).file } as const);
}

/** A mistyped path must not quietly become an empty ledger. Throws StoreError where not even its folder is there. */
export function announceNew(context: Context, file: string): void {
  if (existsSync(file)) return;
  if (!existsSync(dirname(file)) && context.flags.db !== undefined)
    throw new StoreError(
      "unavailable",
      `There is no folder ${dirname(file)} for the ledger of --db.`,
      "Make it, or correct the path.",
    );
  context.warn(`new, empty ledger ${file}`);
}
