import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { DumpHead, Millis, Transferable } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { oneLine, truncate } from "../../kit/text.ts";

/** Where a ledger is copied to. */
export interface Target {
  readonly ledger: Transferable;
  readonly head: DumpHead;
  /** For people, without any password. */
  readonly name: string;
}

/** For a thousand rows over a slow line into a small database. */
const PIECE_TIMEOUT: Millis = 60_000;

/** Opens what `--to` names: a server, a Postgres database or a file. @param look nothing is made where there is nothing. */
export async function openTarget(context: Context, to: string, from: string, look: boolean): Promise<Target> {
  if (/^https?:\/\//i.test(to)) return openUrl(context, to);
  if (/^postgres(ql)?:\/\//i.test(to)) return openDatabase(context, to);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(to))
    throw usage(
      `${truncate(oneLine(to), 60)} is no address that a ledger can be at.`,
      "Type --to https://… (a server), --to postgres://… (its database) or --to FILE.",
    );
  return openFile(context, resolve(context.cwd, to), from, look);
}

async function openUrl(context: Context, url: string): Promise<Target> {
  const { openServer } = await import("../http/open.ts");
  const ledger = openServer(context, { url, source: "--to" });
  context.onExit(() => ledger.close());
  // The first call is as patient as any; those that follow move a lot of rows.
  const head = await ledger.dumpHead();
  return { ledger: context.flags.timeout === undefined ? ledger.within(PIECE_TIMEOUT) : ledger, head, name: url };
}

async function openDatabase(context: Context, url: string): Promise<Target> {
  const { openDatabaseLedger } = await import("@alai/server/admin");
  const ledger = await openDatabaseLedger(url);
  context.onExit(() => ledger.close());
  return { ledger, head: await ledger.dumpHead(), name: withoutPassword(url) };
}

async function openFile(context: Context, file: string, from: string, look: boolean): Promise<Target> {
  if (isSameFile(file, from))
    throw usage("--from and --to name the same file.", "Name another file, or a server's address, with --to.");
  const ledger = await SqliteLedger.open(file, { missing: look ? "empty" : "create" });
  context.onExit(() => ledger.close());
  return { ledger, head: await ledger.dumpHead(), name: file };
}

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^@/?]*?):[^@/]*@/, "$1@").replace(/([?&]password=)[^&]*/gi, "$1…");
}
