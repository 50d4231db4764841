import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Ledger, Refusal, StoreError, type Transferable } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { Failpoint } from "@alai/core/sqlite/store";
import type { Context } from "../kit/context.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { duration } from "../kit/values.ts";

/** Where the ledger is, and what said so. */
export type Location =
  | { readonly kind: "file"; readonly file: string; readonly source: string }
  | { readonly kind: "url"; readonly url: string; readonly source: string };

/** `--db` > `ALAI_MC_URL` > `ALAI_MC_DB` > the settings > the data folder. */
export function locateLedger(context: Context): Location {
  const { env, flags } = context;
  if (flags.db === undefined) {
    if (env.ALAI_MC_URL) return { kind: "url", url: env.ALAI_MC_URL, source: "ALAI_MC_URL" };
    const url = env.ALAI_MC_DB ? undefined : context.settings().get("mc.url");
    if (typeof url === "string") return { kind: "url", url, source: "setting mc.url" };
  }
  return locateFile(context);
}

/** The same without the companion server: what this machine itself serves. */
export function locateFile(context: Context): FileLocation {
  const { env, flags } = context;
  const file = (path: string, source: string): FileLocation => ({
    kind: "file",
    file: resolve(context.cwd, path),
    source,
  });
  if (flags.db?.trim() === "") throw usage("--db is empty.", "Type --db FILE, or leave it out.");
  if (flags.db !== undefined) return file(flags.db, "--db");
  if (env.ALAI_MC_DB) return file(env.ALAI_MC_DB, "ALAI_MC_DB");
  const db = context.settings().get("mc.db");
  if (typeof db === "string") return file(db, "setting mc.db");
  return file(join(context.paths.data, "ledger.db"), "default");
}

/** Where `--offline` reads. */
export async function locateMirror(context: Context): Promise<Location> {
  return (await import("./mirror/offline.ts")).locateOffline(context);
}

/**
 * What a command wants of a ledger that is not there: to look at it (an empty one is read, and no file is left behind), tasks
 * of it (there are none: `not_found`), or to put something into it (it is made).
 */
export type Purpose = "read" | "tasks" | "write";

/**
 * Opens the ledger for a command; it is closed when the command ends. Throws StoreError.
 * @param offline read the mirror instead of the server.
 */
export async function openLedger(
  context: Context,
  purpose: Purpose,
  offline?: boolean,
): Promise<Ledger & Transferable> {
  if (offline) return (await import("./mirror/offline.ts")).openOffline(context);
  const location = locateLedger(context);
  const ledger =
    location.kind === "url" ? await openUrl(context, location) : await openLocal(context, location, purpose);
  context.onExit(() => ledger.close());
  return ledger;
}

type FileLocation = Extract<Location, { kind: "file" }>;

/** Loaded here only: what talks to a server has no part in local calls. */
async function openUrl(context: Context, site: Extract<Location, { kind: "url" }>): Promise<Ledger & Transferable> {
  const { openServer } = await import("./http/open.ts");
  return openServer(context, site);
}

function openLocal(context: Context, location: FileLocation, purpose: Purpose): Promise<SqliteLedger> {
  announce(context, location, purpose);
  return openFile(context, location.file, purpose).catch((error) =>
    offerAdoption(context, location.file, purpose, error),
  );
}

/** A mistyped path must not look like an empty ledger, nor quietly become a second one. */
function announce(context: Context, { file, source }: FileLocation, purpose: Purpose): void {
  if (existsSync(file)) return;
  if (source === "--db" && !existsSync(dirname(file)))
    throw new StoreError(
      "unavailable",
      `There is no folder ${dirname(file)} for the ledger of --db.`,
      "Make the folder, or correct the path.",
    );
  const isNamed = source === "--db" || source.startsWith("setting");
  if (purpose !== "write" && isNamed)
    throw new StoreError(
      "unavailable",
      `There is no ledger ${file} (${source}).`,
      "Correct the path; `alai mc add` makes a new ledger there.",
    );
  if (purpose === "tasks")
    throw new Refusal("not_found", `There is no ledger ${file} (${source}) yet, so no such task either.`, {
      hint: "`alai mc add TITLE` makes it, with its first task.",
    });
  // Said to people only: behind `--json` or a pipe stderr is for errors.
  if (!context.io.stderrIsTty || context.flags.json || context.flags.quiet) return;
  if (purpose === "read") context.warn(`there is no ledger ${file} (${source}) yet; \`alai mc add\` makes one`);
  else if (source !== "default") context.warn(`new ledger ${file} (${source})`);
}

function openFile(context: Context, file: string, purpose: Purpose): Promise<SqliteLedger> {
  return SqliteLedger.open(file, {
    missing: purpose === "write" ? "create" : "empty",
    clock: context.clock,
    busyLimit: duration(String(context.settings().get("mc.lockTimeout") ?? "10s")),
    failpoint: failpoints(context.env.ALAI_FAILPOINT),
  });
}

/** First use of another program's ledger: asks, adopts and goes on. Where nobody can be asked, the error says what to type. */
async function offerAdoption(context: Context, file: string, purpose: Purpose, error: unknown): Promise<SqliteLedger> {
  if (!(error instanceof StoreError) || error.code !== "not_adopted" || !context.canPrompt()) throw error;
  const { confirm } = await import("../kit/prompt.ts");
  const yes = await confirm(
    context,
    `${file} was made by another program. Add what alai needs to it (a backup is made first)?`,
    "--yes",
  );
  if (!yes) throw new Exit(EXIT.refused, "not_adopted", "Nothing was changed.");
  const { adopt } = await import("@alai/core/sqlite/adopt");
  const { backup } = await adopt(file, context.caller());
  context.warn(`adopted ${file}; backup in ${backup}`);
  return openFile(context, file, purpose);
}

/** `ALAI_FAILPOINT=after-commit` kills this process there: how the tests prove what a crash leaves behind. */
function failpoints(wanted: string | undefined): (point: Failpoint) => void {
  if (!wanted) return () => {};
  return (point) => {
    if (point === wanted) process.kill(process.pid, "SIGKILL");
  };
}
