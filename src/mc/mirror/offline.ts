import { existsSync } from "node:fs";
import { type Ledger, type Millis, StoreError, type Transferable } from "@alai/core";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { type MirrorMark, readMark } from "@alai/core/sqlite/mirror";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { relative } from "../../kit/when.ts";
import { type Location, locateLedger } from "../open.ts";
import { defaultMirror, siteOf } from "./place.ts";

/** Where a command reads when `--offline` is given: the mirror of the server that it would ask. Throws a usage error without one. */
export function locateOffline(context: Context): Location {
  const location = locateLedger(context);
  if (location.kind !== "url")
    throw usage(
      `--offline reads the mirror of a server, and this ledger is the file ${location.file} (${location.source}).`,
      "Leave --offline out, or set ALAI_MC_URL.",
    );
  return { kind: "file", file: defaultMirror(context, location.url), source: `mirror of ${siteOf(location.url)}` };
}

/** Opens the mirror for reading and says on stderr how old it is. */
export async function openOffline(context: Context): Promise<Ledger & Transferable> {
  const location = locateOffline(context);
  if (location.kind !== "file") throw new Error("an offline ledger is a file");
  const mark = existsSync(location.file) ? readMark(location.file) : null;
  if (!mark)
    throw new StoreError(
      "unavailable",
      `There is no ${location.source} here.`,
      "`alai mc mirror --once` makes one while the server can be reached; `alai mc mirror` keeps it current.",
    );
  context.io.err(`offline: mirror of ${mark.url} as of ${ageOf(mark, context.clock())}\n`);
  const ledger = await SqliteLedger.open(location.file, { missing: "fail", clock: context.clock });
  context.onExit(() => ledger.close());
  return ledger;
}

/** `3 min ago`. */
export function ageOf({ at }: MirrorMark, now: Millis): string {
  return relative(Math.min(at, now - 1), now);
}
