import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { usage } from "../../kit/errors.ts";
import type { Database, Manifest } from "../manifest/model.ts";
import { isIn } from "../manifest/place-rules.ts";

export interface PlaceOptions {
  /** As it was typed; absent: the current folder. */
  readonly output: string | undefined;
  /** Whether it is one of several databases, which go into a folder, each by its path. */
  readonly several: boolean;
}

/** The file that a database is restored to. One alone goes into a folder under its own name, where a folder is named. */
export function placeOf(cwd: string, { path }: Pick<Database, "path">, { output, several }: PlaceOptions): string {
  if (several) return resolve(cwd, join(output ?? "", path));
  if (output === undefined) return resolve(cwd, basename(path));
  const at = resolve(cwd, output);
  const isFolder = output.endsWith("/") || statSync(at, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? join(at, basename(path)) : at;
}

/**
 * A database is no stream, and in the folder of the storage it would be among the files of replicas. Throws a usage error.
 * @param at `output` as an absolute path.
 */
export function refuseOutput({ storage }: Pick<Manifest, "storage">, at: string, output: string | undefined): void {
  if (output === "-")
    throw usage(
      "A database is not written to standard output: it is checked as a file before anybody gets it.",
      "Name a file, for example: -o restored.db; one that is called - is ./-",
    );
  if (storage.type !== "file" || !isIn(realOf(at), realOf(storage.path))) return;
  throw usage(
    `${at} is in the storage ${storage.path}, where the replicas are.`,
    "Name a file elsewhere, for example: -o restored.db",
  );
}

/** By links, as far as there is something. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realOf(above), basename(path));
  }
}
