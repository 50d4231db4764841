import { posix } from "node:path";
import { usage } from "../../kit/errors.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { isIn } from "../manifest/place-rules.ts";
import { goDuration } from "../render/go-duration.ts";
import { type Around, accountGuess, guesses, oldBackups, osOf, type Placed } from "./guesses.ts";
import { millisOf, type OldConfig, type OldDatabase, type Remark } from "./read.ts";
import { placeOf } from "./storage.ts";

/** A manifest made from an old config, and what of that config did not come over or never had an effect. */
export interface Adopted {
  /** YAML. */
  readonly text: string;
  readonly remarks: readonly Remark[];
  readonly databases: number;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * The manifest of an old config. Tiers are made from equal retention and snapshot intervals, the longest first: the config does not
 * say what matters most. What is guessed is said, here and in the manifest.
 */
export function adopt({ databases, remarks }: OldConfig, around: Around): Adopted {
  const more: Remark[] = [];
  const placed = databases.flatMap((database) => placedOf(database, more));
  const storage = mostCommon(placed.map(({ place }) => JSON.stringify(place.storage))) ?? "[]";
  for (const { place, database } of placed)
    if (JSON.stringify(place.storage) !== storage)
      more.push(remark("replica", database.line, "It is in another storage than most; the manifest has one."));
  const prefix = commonFolder(placed.map(({ place }) => place.path));
  const folder = commonFolder(placed.map(({ database }) => database.path));
  for (const { database } of placed) if (!database.path.startsWith("/")) throw notWhole(database);
  if ((folder === "" || folder === "/") && placed.length > 0) throw nothingShared(placed);
  const os = osOf(folder, around.os);
  more.push(...oldBackups(placed, remarks), ...accountGuess(placed), ...guesses(placed, { ...around, os, folder }));
  const tiers = tiersOf(placed);
  const text = [
    "# Made by alai dr adopt. What is marked as guessed the config did not say: look it over.",
    ...hostLines({ ...around, os }, folder),
    "storage:",
    ...(JSON.parse(storage) as [string, string][]).map(([key, value]) => `  ${key}: ${quoted(value)}`),
    ...(prefix === "" ? [] : [`  prefix: ${quoted(prefix)}`]),
    "# Guessed: rpo, no heartbeat, and the order, which is that of restore: put what matters most first.",
    "tiers:",
    ...[...tiers].map(([name, members]) => tierLine(name, members)),
    "databases:",
    ...databaseLines(tiers, folder),
  ];
  return { text: `${text.join("\n")}\n`, remarks: [...remarks, ...more], databases: placed.length };
}

/** Nobody knows where Litestream was started. */
function notWhole({ path, line }: OldDatabase): Error {
  return usage(
    `The path of the database in line ${line} is "${truncate(oneLine(path), 60)}", which is not an absolute path.`,
    "Write the whole path in the config, from / on.",
  );
}

/** A manifest names one folder for all databases of a host, beside which the agent's own folder is. */
function nothingShared(placed: readonly Placed[]): Error {
  const tops = [...new Set(placed.map(({ database: { path } }) => `/${path.split("/")[1] ?? ""}`))].slice(0, 5);
  return usage(
    `The databases are in ${tops.join(", ")}, which have no folder in common but /, and a manifest has one folder of databases.`,
    "Move them below one folder, or make a manifest of each: a config with the databases of one folder for each alai dr adopt.",
  );
}

function remark(key: string, line: number, detail: string): Remark {
  return { kind: "not-taken", key, lines: [line], detail };
}

function placedOf(database: OldDatabase, remarks: Remark[]): Placed[] {
  const place = placeOf(database);
  const { replica, snapshot } = database;
  if (!place) {
    const detail = "Its replica is in a storage that alai does not have, or says too little of it.";
    remarks.push(remark(database.path, database.line, detail));
    return [];
  }
  const time = (raw: string | undefined) => (raw === undefined ? null : millisOf(raw));
  const retention = time(snapshot.retention ?? replica.retention) ?? DAY;
  const interval = time(snapshot.interval ?? replica["snapshot-interval"]);
  if (interval !== null && interval > retention)
    remarks.push(
      remark(
        "snapshot-interval",
        database.line,
        `A snapshot every ${goDuration(interval)}, kept for ${goDuration(retention)}: for a time there would be none. The manifest leaves it out.`,
      ),
    );
  return [
    {
      ...{ database, place, retention, sync: time(replica["sync-interval"]) ?? 1000 },
      snapshot: interval !== null && interval <= retention ? interval : null,
    },
  ];
}

function hostLines({ host, user, os }: Around, folder: string): string[] {
  return [
    "hosts:",
    `  - name: ${quoted(host)}`,
    "    role: primary",
    `    user: ${quoted(user)} # guessed`,
    `    os: ${os} # guessed`,
    `    databases: ${quoted(folder || "/")}`,
    `    state: ${quoted(stateGuess(folder, { user, os }))} # guessed`,
    "    addresses: [127.0.0.1] # guessed",
  ];
}

/** The agent's own folder: the first of the usual ones that is not among the databases. */
function stateGuess(folder: string, { user, os }: Pick<Around, "user" | "os">): string {
  const usual =
    os === "linux"
      ? ["/var/lib/alai", "/opt/alai", "/srv/alai"]
      : [`/Users/${user}/.alai/host`, "/usr/local/var/alai", "/opt/alai"];
  return usual.find((one) => !isIn(one, folder || "/")) ?? "/alai";
}

/** Databases by the name of their tier, the longest retention first; of one retention the shortest snapshot interval first. */
function tiersOf(placed: readonly Placed[]): ReadonlyMap<string, readonly Placed[]> {
  const sorted = placed.toSorted((a, b) => b.retention - a.retention || (a.snapshot ?? DAY) - (b.snapshot ?? DAY));
  const several = (retention: number) =>
    new Set(placed.filter((one) => one.retention === retention).map(({ snapshot }) => snapshot)).size > 1;
  return Map.groupBy(sorted, ({ retention, snapshot }) => {
    const name = `keep-${goDuration(retention)}`;
    return snapshot !== null && several(retention) ? `${name}-image-${goDuration(snapshot)}` : name;
  });
}

function tierLine(name: string, members: readonly Placed[]): string {
  const retention = members[0]?.retention ?? DAY;
  const snapshot = members[0]?.snapshot ?? null;
  const sync = syncOf(members);
  const rpo = Math.max(MINUTE, ...members.map((member) => member.sync));
  const values = [
    `retention: ${goDuration(retention)}`,
    ...(snapshot === null ? [] : [`snapshot-interval: ${goDuration(snapshot)}`]),
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
