import { closeSync, type Dirent, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { hasNothing } from "../../heartbeat/nothing.ts";
import type { Database, Host } from "../model.ts";
import type { Finding } from "./finding.ts";
import type { Past } from "./past.ts";

/** What begins every SQLite database that has a page. */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
const ENDING = /\.(?:db|sqlite|sqlite3|db3)$/i;
/** Beside a database: of SQLite, of Litestream, of an alai that writes. */
const BESIDE = /-(?:wal|shm|journal|litestream)$|\.tmp$/;
/** Folders below folders: no more than people make, and an end to loops of links. */
const DEEPEST = 8;

/** What is at a path. */
type Look = { readonly kind: "missing" | "other" | "empty" | "database" | "foreign" };

/** Compares a host's folder with the manifest. On a standby only what it follows is expected there. @param past which had data. */
export function checkDisk(host: Host, databases: readonly Database[], past: Past): readonly Finding[] {
  if (look(host.databases).kind !== "other")
    return [
      {
        kind: "missing",
        name: host.databases,
        detail: `The folder of databases of ${host.name} is not here; nothing on disk was compared.`,
        wrong: true,
      },
    ];
  const known = new Set(databases.map(({ path }) => path));
  return [
    ...expectedOn(host, databases).flatMap((database) => checkDatabase(host, database, past.get(database.name))),
    ...databasesBelow(host.databases)
      .filter((path) => !known.has(path))
      .map((path): Finding => uncovered(host, path)),
  ];
}

function expectedOn({ role }: Host, databases: readonly Database[]): readonly Database[] {
  return role === "primary" ? databases : databases.filter(({ follow }) => follow);
}

/** Names of databases that there is nothing of on a host, as the manifest plans or allows: whether there ever was is to be asked. */
export function nothingOn(host: Host, databases: readonly Database[]): readonly string[] {
  return expectedOn(host, databases)
    .filter(({ path }) => hasNothing(join(host.databases, path)))
    .map(({ name }) => name);
}

/** Names of databases that may be missing, and are: they have nothing to send. */
export function absentOn(host: Host, databases: readonly Database[]): ReadonlySet<string> {
  const absent = databases.filter(
    ({ optional, path }) => optional && look(join(host.databases, path)).kind === "missing",
  );
  return new Set(absent.map(({ name }) => name));
}

/** @param had how it is known that there was data in it; absent: it is not. */
function checkDatabase(host: Host, { name, path, optional, sizeClass }: Database, had: string | undefined): Finding[] {
  const file = join(host.databases, path);
  const { kind } = look(file);
  const but = had === undefined ? "" : `, and ${had}`;
  if (kind === "database") {
    if (had === undefined || !hasNothing(file)) return [];
    return [{ kind: "empty", name, detail: `${file} has no table of a service's${but}.`, wrong: true }];
  }
  if (kind === "missing") {
    if (optional && had === undefined) return [];
    return [{ kind, name, detail: `There is no ${file}${but}.`, wrong: true }];
  }
  if (kind === "empty") {
    const planned = sizeClass === "empty" && had === undefined;
    return [{ kind, name, detail: `${file} has 0 bytes${planned ? ", as planned" : but}.`, wrong: !planned }];
  }
  const what = kind === "other" ? "is no file" : "is no SQLite database";
  return [{ kind: "no-database", name, detail: `${file} ${what}.`, wrong: true }];
}

function uncovered(host: Host, path: string): Finding {
  const file = join(host.databases, path);
  const what = look(file).kind === "empty" ? "has 0 bytes and" : "";
  return {
    kind: "uncovered",
    name: path,
    detail: `${file} ${what} is not in the manifest.`.replace("  ", " "),
    wrong: true,
  };
}

/** Files that are databases, or are called like one, by their path below the folder. */
function databasesBelow(folder: string, below = "", depth = 0): string[] {
  return entriesOf(join(folder, below)).flatMap((entry) => {
    const path = posix.join(below, entry.name);
    if (BESIDE.test(entry.name) || (entry.name.startsWith(".") && !entry.isFile())) return [];
    const { kind } = look(join(folder, path));
    if (kind === "other") return entry.isDirectory() && depth < DEEPEST ? databasesBelow(folder, path, depth + 1) : [];
    return kind === "database" || (kind !== "missing" && ENDING.test(entry.name)) ? [path] : [];
  });
}

function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function look(path: string): Look {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return { kind: "missing" };
  if (!found.isFile()) return { kind: "other" };
  if (found.size === 0) return { kind: "empty" };
  return { kind: beginning(path).equals(MAGIC) ? "database" : "foreign" };
}

function beginning(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MAGIC.length);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
