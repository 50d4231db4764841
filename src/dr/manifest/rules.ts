import { posix } from "node:path";
import { suggest } from "../../kit/suggest.ts";
import { pathOf, sizeClassOf, snapshotIntervalOf, syncIntervalOf } from "./defaults.ts";
import type { Path, YamlFile } from "./document.ts";
import { checkModels } from "./model-rules.ts";
import type { Written } from "./schema.ts";

/** What no single key shows: names that mean each other, and numbers that cannot hold together. Adds to the file's problems. */
export function checkRules(file: YamlFile, written: Written): void {
  checkHosts(file, written);
  checkTiers(file, written);
  checkDatabases(file, written);
  onlyOnce(file, ["services"], written.services ?? [], "service");
  onlyOnce(file, ["names"], written.names ?? [], "name");
  onlyOnce(file, ["watch", "channels"], written.watch?.channels ?? [], "channel");
  if (written.models) checkModels(file, written.models, names(written.hosts));
}

export function names(things: readonly { readonly name: string }[]): string[] {
  return things.map(({ name }) => name);
}

/** Says each name that stands a second time, with the line of the first. */
export function onlyOnce(file: YamlFile, path: Path, things: readonly { readonly name: string }[], noun: string): void {
  const first = new Map<string, number>();
  for (const [at, { name }] of things.entries()) {
    const before = first.get(name);
    if (before === undefined) first.set(name, at);
    else
      file.addAt(
        [...path, at, "name"],
        `There are two of the ${noun} ${name}; the first is in line ${file.lineAt([...path, before, "name"])}.`,
        "Give one of them another name.",
      );
  }
}

/** Says a name that nothing has. */
export function mustBe(file: YamlFile, path: Path, word: string, known: readonly string[], noun: string): void {
  if (known.includes(word)) return;
  const near = suggest(word, known);
  const there = known.length > 0 ? `Known are: ${known.join(", ")}.` : `There is none in this file.`;
  file.addAt(path, `There is no ${noun} ${word}.`, near ? `Did you mean ${near}? ${there}` : there);
}

function checkHosts(file: YamlFile, { hosts }: Written): void {
  onlyOnce(file, ["hosts"], hosts, "host");
  const primaries = hosts.flatMap(({ role, name }, at) => (role === "primary" ? [{ name, at }] : []));
  if (primaries.length === 0) file.addAt(["hosts"], "No host is the primary.", "Give one of them role: primary.");
  for (const { name, at } of primaries.slice(1))
    file.addAt(
      ["hosts", at, "role"],
      `Both ${primaries[0]?.name} and ${name} are the primary.`,
      "Only one host may be; give the other role: standby.",
    );
  for (const [at, { databases, state }] of hosts.entries())
    if (`${posix.normalize(state)}/`.startsWith(`${posix.normalize(databases)}/`))
      file.addAt(
        ["hosts", at, "state"],
        "The agent's folder is in the folder of the databases.",
        "Take one beside it: what is in there is taken for databases.",
      );
  checkAddresses(file, hosts);
}

function checkAddresses(file: YamlFile, hosts: Written["hosts"]): void {
  const taken = new Map<string, string>();
  for (const [at, { name, addresses, port }] of hosts.entries())
    for (const [index, address] of addresses.entries()) {
      const key = `${address} ${port ?? ""}`;
      const other = taken.get(key);
      taken.set(key, other ?? name);
      if (other === undefined) continue;
      file.addAt(["hosts", at, "addresses", index], `${address} is an address of ${other} already.`, "Leave one out.");
    }
}

function checkTiers(file: YamlFile, { tiers }: Written): void {
  onlyOnce(file, ["tiers"], tiers, "tier");
  for (const [at, tier] of tiers.entries()) {
    if (tier.retention < snapshotIntervalOf(tier))
      file.addAt(
        ["tiers", at, "snapshot-interval"],
        `The tier ${tier.name} takes snapshots less often than it throws them away.`,
        "Make snapshot-interval at most as long as retention: Litestream takes it without a word, and then there may be none.",
      );
    if (syncIntervalOf(tier) > tier.rpo) file.addAt(["tiers", at, "rpo"], ...unreachable(`the tier ${tier.name}`));
  }
}

function unreachable(what: string): [message: string, allowed: string] {
  return [
    `The rpo of ${what} is shorter than its sync-interval, so it cannot be held.`,
    "Make sync-interval shorter, or rpo longer.",
  ];
}

function checkDatabases(file: YamlFile, written: Written): void {
  const { databases, tiers, services = [] } = written;
  onlyOnce(file, ["databases"], databases, "database");
  checkPaths(file, written);
  for (const [at, database] of databases.entries()) {
    const place = (key: string): Path => ["databases", at, key];
    mustBe(file, place("tier"), database.tier, names(tiers), "tier");
    if (database.owner !== undefined) mustBe(file, place("owner"), database.owner, names(services), "service");
    const rpo = tiers.find(({ name }) => name === database.tier)?.rpo ?? Number.POSITIVE_INFINITY;
    if ((database["sync-interval"] ?? 0) > rpo) file.addAt(place("sync-interval"), ...unreachable(database.name));
    const { size, "size-class": said } = database;
    if (said && size !== undefined && said !== sizeClassOf(size))
      file.addAt(place("size-class"), `${size} bytes are ${sizeClassOf(size)}, not ${said}.`, "Leave size-class out.");
  }
}

/** Files that SQLite and Litestream keep beside a database. */
const BESIDE = /-(?:wal|shm|journal|litestream)$/;

function checkPaths(file: YamlFile, { databases, hosts }: Written): void {
  // A disk of a Mac takes A.db and a.db for one file.
  const folds = hosts.some(({ os }) => os !== "linux");
  const taken = new Map<string, { readonly name: string; readonly at: number }>();
  for (const [at, database] of databases.entries()) {
    const path = pathOf(database);
    const where: Path = ["databases", at, database.path === undefined ? "name" : "path"];
    if (BESIDE.test(path)) file.addAt(where, `${path} is a file beside a database.`, "Name the database itself.");
    const key = folds ? path.toLowerCase() : path;
    const other = taken.get(key);
    if (!other) taken.set(key, { name: database.name, at });
    else if (other.name !== database.name || database.path !== undefined)
      file.addAt(
        where,
        `${database.name} and ${other.name} (line ${file.lineAt(["databases", other.at])}) are on one path, ${path}.`,
        "Give each its own; two replicas of one file would undo each other.",
      );
  }
}
