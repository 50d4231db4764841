import { posix } from "node:path";
import { goDuration } from "../render/go-duration.ts";
import { millisOf, type OldConfig, type OldDatabase, type Remark } from "./read.ts";
import { type OldPlace, placeOf } from "./storage.ts";

/** A manifest made from an old config, and what of that config did not come over or never had an effect. */
export interface Adopted {
  /** YAML. */
  readonly text: string;
  readonly remarks: readonly Remark[];
  readonly databases: number;
}

interface Placed {
  readonly database: OldDatabase;
  readonly place: OldPlace;
  readonly retention: number;
  readonly sync: number;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * The manifest of an old config. Tiers are made from equal retention values, the longest first: the config does not say what
 * matters most. @param host what to call the primary. @param user who owns the databases.
 */
export function adopt({ databases, remarks }: OldConfig, host: string, user: string): Adopted {
  const more: Remark[] = [];
  const placed = databases.flatMap((database) => placedOf(database, more));
  const storage = mostCommon(placed.map(({ place }) => JSON.stringify(place.storage))) ?? "[]";
  for (const { place, database } of placed)
    if (JSON.stringify(place.storage) !== storage)
      more.push(remark("replica", database.line, "It is in another storage than most; the manifest has one."));
  more.push(...accountRemark(placed));
  const prefix = commonFolder(placed.map(({ place }) => place.path));
  const folder = commonFolder(placed.map(({ database }) => database.path));
  const tiers = tiersOf(placed);
  const text = [
    "# Made by alai dr adopt. Look it over: which tier matters most, the addresses of the hosts, the standby.",
    ...hostLines(host, user, folder),
    "storage:",
    ...(JSON.parse(storage) as [string, string][]).map(([key, value]) => `  ${key}: ${quoted(value)}`),
    ...(prefix === "" ? [] : [`  prefix: ${quoted(prefix)}`]),
    "tiers:",
    ...[...tiers].map(([name, members]) => tierLine(name, members)),
    "databases:",
    ...databaseLines(tiers, folder),
  ];
  return { text: `${text.join("\n")}\n`, remarks: [...remarks, ...more], databases: placed.length };
}

function remark(key: string, line: number, detail: string): Remark {
  return { kind: "not-taken", key, lines: [line], detail };
}

/** Where the account is said by the endpoint alone, people rely on a variable that no Litestream reads. */
function accountRemark(placed: readonly Placed[]): Remark[] {
  const lines = placed
    .filter(({ place, database }) => place.storage[0]?.[1] === "azure" && !database.replica["account-name"])
    .map(({ database }) => database.line);
  const detail =
    "0.5 never reads it; without account-name it signs in as whoever DefaultAzureCredential finds, a person's az login too.";
  return lines.length > 0 ? [{ kind: "ignored", key: "AZURE_STORAGE_ACCOUNT", lines, detail }] : [];
}

function placedOf(database: OldDatabase, remarks: Remark[]): Placed[] {
  const place = placeOf(database);
  const { retention, "sync-interval": sync } = database.replica;
  const said = retention === undefined ? DAY : millisOf(retention);
  if (place) return [{ database, place, retention: said ?? DAY, sync: millisOf(sync ?? "1s") ?? 1000 }];
  remarks.push(
    remark(
      database.path,
      database.line,
      "Its replica is in a storage that alai does not have, or says too little of it.",
    ),
  );
  return [];
}

function hostLines(host: string, user: string, folder: string): string[] {
  const home = folder.startsWith("/home/") || folder.startsWith("/var/") ? "linux" : "darwin";
  return [
    "hosts:",
    `  - name: ${quoted(host)}`,
    "    role: primary",
    `    user: ${quoted(user)}`,
    `    os: ${home}`,
    `    databases: ${quoted(folder || "/")}`,
    `    state: ${quoted(home === "linux" ? "/var/lib/alai" : `/Users/${user}/.alai/host`)}`,
    "    addresses: [127.0.0.1]",
  ];
}

/** Databases by the name of their tier, the longest retention first. */
function tiersOf(placed: readonly Placed[]): ReadonlyMap<string, readonly Placed[]> {
  const values = [...new Set(placed.map(({ retention }) => retention))].sort((a, b) => b - a);
  return new Map(
    values.map((value) => [`keep-${goDuration(value)}`, placed.filter(({ retention }) => retention === value)]),
  );
}

function tierLine(name: string, members: readonly Placed[]): string {
  const retention = members[0]?.retention ?? DAY;
  const sync = syncOf(members);
  const rpo = Math.max(MINUTE, ...members.map((member) => member.sync));
  const values = [
    `retention: ${goDuration(retention)}`,
    `sync-interval: ${goDuration(sync)}`,
    `rpo: ${goDuration(rpo)}`,
  ];
  return `  - { name: ${name}, ${values.join(", ")} }`;
}

function syncOf(members: readonly Placed[]): number {
  return Number(mostCommon(members.map(({ sync }) => String(sync))) ?? 1000);
}

function databaseLines(tiers: ReadonlyMap<string, readonly Placed[]>, folder: string): string[] {
  const taken = new Set<string>();
  return [...tiers].flatMap(([tier, members]) => {
    const usual = syncOf(members);
    return members.map(({ database, place, sync }) => {
      const path = posix.relative(folder || "/", database.path);
      const name = freeName(posix.basename(place.path), taken);
      const values = [
        `name: ${quoted(name)}`,
        ...(path === `${name}.db` ? [] : [`path: ${quoted(path)}`]),
        `tier: ${tier}`,
        ...(sync === usual ? [] : [`sync-interval: ${goDuration(sync)}`]),
      ];
      return `  - { ${values.join(", ")} }`;
    });
  });
}

/** A replica's last part as a name that the manifest takes, and that no other database has. */
function freeName(word: string, taken: Set<string>): string {
  const plain =
    word
      .replaceAll(/[^A-Za-z0-9._-]/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 90) || "database";
  let name = plain;
  for (let at = 2; taken.has(name); at++) name = `${plain}-${at}`;
  taken.add(name);
  return name;
}

/** The deepest folder that all paths are in. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => posix.dirname(path)).map((folder) => (folder === "." ? [] : folder.split("/")));
  const [first = []] = folders;
  const differs = first.findIndex((part, at) => folders.some((folder) => folder[at] !== part));
  return (differs < 0 ? first : first.slice(0, differs)).join("/");
}

function mostCommon(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** As it is where YAML reads it as the same text, else quoted. */
function quoted(text: string): string {
  return /^[A-Za-z/][A-Za-z0-9._/-]*$/.test(text) && !/^(?:true|false|null|none)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
