import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { makeFolder } from "../../kit/folder.ts";
import type { Checked, Checker, CheckWish } from "../copy/check.ts";
import { syncFolder } from "../copy/durable.ts";
import type { Storage } from "../storage/storage.ts";
import { brief } from "./brief.ts";
import { buildDatabase } from "./build.ts";
import { removeLeftovers } from "./leftovers.ts";
import { noRoom } from "./room.ts";
import type { Target } from "./target.ts";

export interface RestoreJob {
  readonly name: string;
  readonly storage: Storage;
  readonly target: Target;
  /** Where to: nothing may be there. */
  readonly out: string;
  readonly checker: Checker;
  readonly check: CheckWish;
  readonly onBytes?: (bytes: number) => void;
}

/** What was restored. */
export interface Restored {
  readonly name: string;
  readonly out: string;
  readonly txid: number;
  /** When the newest transaction in it was synced, by the primary's clock. */
  readonly time: Millis;
  /** Bytes of the database. */
  readonly size: number;
  /** Files of the replica that were read. */
  readonly files: number;
  readonly checked: Checked;
  readonly took: Millis;
}

/**
 * Restores one database: made aside, checked, and only then given its name. Throws Exit 1 where something is in the way or the
 * check fails, `LtxDamage`, `StorageError`; nothing is left behind then.
 */
export async function restoreDatabase(job: RestoreJob): Promise<Restored> {
  const { name, storage, target, out, checker, check, onBytes } = job;
  const began = monotonic();
  const folder = dirname(out);
  const aside = `${out}.restoring-${process.pid}`;
  refuseToOverwrite(out);
  try {
    makeFolder(folder);
    removeLeftovers(folder, `${basename(out)}.restoring-`);
    rmSync(aside, { force: true });
    const { time, commit, pageSize } = await buildDatabase(storage, target.files, aside, onBytes);
    const checked = await checker.check(aside, check);
    if (checked.problems.length > 0) throw unsound(name, checked);
    place(aside, out);
    const { txid, files } = target;
    const size = commit * pageSize;
    return { name, out, txid, time, size, files: files.length, checked, took: monotonic() - began };
  } catch (error) {
    throw explained(error, name, folder);
  } finally {
    // Where the folder is none, there is nothing to remove.
    if (existsSync(aside)) rmSync(aside, { force: true });
  }
}

/** What the file system says in a word of its own. */
function explained(error: unknown, name: string, folder: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOSPC" || code === "EDQUOT") return noRoom(name, folder);
  if (code === "EEXIST" || code === "ENOTDIR")
    return new Exit(EXIT.refused, "no_folder", `${folder} is no folder.`, "Name another one with --output.");
  return error;
}

/** A sidecar of another database would be taken for this one's. */
export function refuseToOverwrite(out: string): void {
  const found = ["", "-wal", "-shm", "-journal"].map((suffix) => out + suffix).find((path) => existsSync(path));
  if (found) throw inTheWay(found);
}

/** A link is never made over something; where a disk knows no links, a rename must do after another look. */
function place(aside: string, out: string): void {
  refuseToOverwrite(out);
  try {
    linkSync(aside, out);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw inTheWay(out);
    renameSync(aside, out);
  }
  syncFolder(dirname(out));
}

/** SQLite would play it into the restored database. It may hold the last commits of the one that was there. */
const SIDECAR =
  "It is part of the database that was there: stop the service and the agent, move it away with that, keep it; or restore elsewhere with --output FILE.";

function inTheWay(path: string): Exit {
  return new Exit(
    EXIT.refused,
    "in_the_way",
    `${path} is there already, and nothing is overwritten.`,
    /-(wal|shm|journal)$/.test(path) ? SIDECAR : "Name another file with --output FILE, or move that one away.",
  );
}

function unsound(name: string, { problems }: Checked): Exit {
  return new Exit(
    EXIT.refused,
    "check_failed",
    `What storage has of ${name} is no sound database: ${brief(problems.join("\n"))}. Nothing was written.`,
    "Restore an earlier moment with --at TIME.",
  );
}
