import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { syncFolder } from "./durable.ts";

const PREFIX = ".before-standby-";
/** What SQLite keeps beside a database. The log comes first: a crash in between leaves a database that can be put to it. */
const SIDECARS = ["-wal", "-journal", "-shm"];

/** What is to make room for a copy. */
export interface InTheWay {
  /** The folder of the host's databases. */
  readonly databases: string;
  /** Where the copy is to be, below it. */
  readonly file: string;
  /** Whether the database that is there was published from here: then only what lies beside it is somebody else's. */
  readonly isOurs: boolean;
  /** Of the copy: names the folder. */
  readonly epoch: string;
}

/**
 * Puts a database that was not published from here aside, with what SQLite and Litestream keep beside it: a primary that came back
 * may have rows in it that nobody else has. Nothing in a folder of this kind is ever written over or removed by alai.
 * @returns the folder; null: nothing was in the way. Throws what the file system refuses: the file then stays where it is.
 */
export function putAside({ databases, file, isOurs, epoch }: InTheWay): string | null {
  const sidecars = SIDECARS.map((suffix) => file + suffix).filter((path) => sizeOf(path) > 0);
  const isForeign = !isOurs && sizeOf(file) > 0;
  if (!isForeign && !sidecars.some((path) => !path.endsWith("-shm"))) return null;
  const moved = isForeign ? [...sidecars, ...litestreamOf(file), file] : sidecars;
  const folder = roomFor(isForeign ? moved : [file, ...moved], databases, epoch);
  for (const path of moved) {
    const to = join(folder, relative(databases, path));
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    renameSync(path, to);
    syncFolder(dirname(to));
  }
  syncFolder(dirname(file));
  return folder;
}

/** Clears what is left beside a database's place: nothing that has anything in it is there any more. */
export function clearBeside(file: string): void {
  for (const suffix of SIDECARS) rmSync(file + suffix, { force: true });
}

/** The folders of what was put aside on this host; empty where there is none, or no such folder. */
export function asideFolders(databases: string): readonly string[] {
  if (!existsSync(databases)) return [];
  const names = readdirSync(databases).filter((name) => name.startsWith(PREFIX));
  return names.sort().map((name) => join(databases, name));
}

/** The first folder in which nothing is where something is to go. */
function roomFor(paths: readonly string[], databases: string, epoch: string): string {
  for (let n = 1; ; n++) {
    const folder = join(databases, `${PREFIX}${epoch}${n === 1 ? "" : `-${n}`}`);
    if (!paths.some((path) => existsSync(join(folder, relative(databases, path))))) return folder;
  }
}

/** Litestream's own folder beside a database: what it had not sent is in it. */
function litestreamOf(file: string): readonly string[] {
  return [join(dirname(file), `.${basename(file)}-litestream`)].filter((path) => existsSync(path));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
