import { posix } from "node:path";
import { pathOf } from "./defaults.ts";
import type { YamlFile } from "./document.ts";
import type { Named } from "./named.ts";
import type { Hosts } from "./place-rules.ts";
import type { Written } from "./schema.ts";
import type { Loose } from "./walk.ts";

export type Databases = readonly Named<Loose<Written["databases"][number]>>[];

/** Files that SQLite and Litestream keep beside a database. */
const BESIDE = /-(?:wal|shm|journal|litestream)$/;

/** No two databases on one path, nor in one another, nor of names that a disk takes for one. */
export function checkPaths(file: YamlFile, databases: Databases, hosts: Hosts): void {
  // A disk of a Mac takes A.db and a.db for one file.
  const folds = hosts.some(({ thing }) => thing.os !== "linux");
  const taken = new Map<string, Databases[number]>();
  for (const database of databases) {
    const { at, name, thing } = database;
    const path = pathOf(name, thing.path);
    const where = ["databases", at, thing.path === undefined ? "name" : "path"];
    if (BESIDE.test(path)) file.addAt(where, `${path} is a file beside a database.`, "Name the database itself.");
    const key = folds ? path.toLowerCase() : path;
    const other = taken.get(key);
    taken.set(key, other ?? database);
    // The same name twice was said already.
    if (!other || other.name === name) continue;
    file.addAt(
      where,
      `${name} and ${other.name} (line ${file.lineAt(["databases", other.at])}) are on one path, ${path}.`,
      "Give each its own: two replicas of one file would undo each other.",
    );
  }
  checkBelow(file, taken);
  if (folds) checkCase(file, databases);
}

/** No file is in another file. */
function checkBelow(file: YamlFile, byPath: ReadonlyMap<string, Databases[number]>): void {
  for (const [path, { at, name, thing }] of byPath)
    for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) {
      const other = byPath.get(folder);
      if (!other) continue;
      file.addAt(
        ["databases", at, thing.path === undefined ? "name" : "path"],
        `${name} would be in ${folder}, which is the database ${other.name} (line ${file.lineAt(["databases", other.at])}), and no folder.`,
        "Correct one of the two paths.",
      );
    }
}

/** Replicas and working copies are called after the names. */
function checkCase(file: YamlFile, databases: Databases): void {
  const taken = new Map<string, Databases[number]>();
  for (const database of databases) {
    const { at, name } = database;
    const other = taken.get(name.toLowerCase());
    if (!other) taken.set(name.toLowerCase(), database);
    else if (other.name !== name)
      file.addAt(
        ["databases", at, "name"],
        `${name} and ${other.name} (line ${file.lineAt(["databases", other.at])}) are one name on a Mac's disk.`,
        "Give one of them another name: their copies would be in one place.",
      );
  }
}
