import { posix } from "node:path";
import { pathOf, sizeClassOf, snapshotIntervalOf, syncIntervalOf } from "./defaults.ts";
import type { YamlFile } from "./document.ts";
import { checkModels } from "./model-rules.ts";
import { mustBe, type Named, namesOf, onlyOnce, wholeOnes } from "./named.ts";
import type { Written } from "./schema.ts";
import type { Loose } from "./walk.ts";

type Read = Loose<Written>;

/**
 * What no single key shows: names that mean each other, and numbers that cannot hold together. Adds to the file's problems. What
 * could not be read was said already, and is passed over.
 */
export function checkRules(file: YamlFile, read: Read): void {
  checkHosts(file, wholeOnes(read.hosts));
  checkTiers(file, wholeOnes(read.tiers));
  checkDatabases(file, read);
  onlyOnce(file, ["services"], wholeOnes(read.services), "service");
  onlyOnce(file, ["names"], wholeOnes(read.names), "name");
  onlyOnce(file, ["watch", "channels"], wholeOnes(read.watch?.channels), "channel");
  if (read.models) checkModels(file, read.models, namesOf(read.hosts));
}

type Hosts = readonly Named<Loose<Written["hosts"][number]>>[];

/** Of a Unix socket's path on a Mac, without the zero at its end; the agent adds `/run/NN.sock`. */
const MOST_STATE = 103 - "/run/99.sock".length;

function checkHosts(file: YamlFile, hosts: Hosts): void {
  onlyOnce(file, ["hosts"], hosts, "host");
  const primaries = hosts.filter(({ thing }) => thing.role === "primary");
  if (hosts.length > 0 && hosts.every(({ thing }) => thing.role === "standby"))
    file.addAt(["hosts"], "No host is the primary.", "Give one of them role: primary.");
  for (const { at, name } of primaries.slice(1))
    file.addAt(
      ["hosts", at, "role"],
      `Both ${primaries[0]?.name} and ${name} are the primary.`,
      "Only one host may be; give the other role: standby.",
    );
  for (const host of hosts) checkState(file, host);
  checkAddresses(file, hosts);
}

function checkState(file: YamlFile, { at, thing: { databases, state } }: Hosts[number]): void {
  if (state === undefined) return;
  if (Buffer.byteLength(posix.normalize(state)) > MOST_STATE)
    file.addAt(
      ["hosts", at, "state"],
      `The path has more than ${MOST_STATE} bytes, so that no socket can be in it.`,
      "Take a shorter one, for example /var/lib/alai.",
    );
  if (databases === undefined || !`${posix.normalize(state)}/`.startsWith(`${posix.normalize(databases)}/`)) return;
  file.addAt(
    ["hosts", at, "state"],
    "The agent's folder is in the folder of the databases.",
    "Take one beside it: what is in there is taken for databases.",
  );
}

function checkAddresses(file: YamlFile, hosts: Hosts): void {
  const taken = new Map<string, string>();
  for (const { at, name, thing } of hosts)
    for (const [index, address] of (thing.addresses ?? []).entries()) {
      if (address === undefined) continue;
      const key = `${address} ${thing.port ?? ""}`;
      const other = taken.get(key);
      taken.set(key, other ?? name);
      if (other === undefined) continue;
      file.addAt(["hosts", at, "addresses", index], `${address} is an address of ${other} already.`, "Leave one out.");
    }
}

function checkTiers(file: YamlFile, tiers: readonly Named<Loose<Written["tiers"][number]>>[]): void {
  onlyOnce(file, ["tiers"], tiers, "tier");
  for (const { at, name, thing } of tiers) {
    const { retention, rpo } = thing;
    if (retention !== undefined && retention < snapshotIntervalOf(thing, retention))
      file.addAt(
        ["tiers", at, "snapshot-interval"],
        `The tier ${name} throws snapshots away sooner than it takes the next, so that there may be none.`,
        "Make snapshot-interval at most as long as retention; Litestream would take it without a word.",
      );
    if (rpo !== undefined && syncIntervalOf(thing) > rpo) file.addAt(["tiers", at, "rpo"], ...unreachable(name));
  }
}

function unreachable(name: string): [message: string, allowed: string] {
  return [
    `The rpo of ${name} is shorter than its sync-interval, so it cannot be held.`,
    "Make sync-interval shorter, or the tier's rpo longer.",
  ];
}

type Databases = readonly Named<Loose<Written["databases"][number]>>[];

function checkDatabases(file: YamlFile, read: Read): void {
  const databases: Databases = wholeOnes(read.databases);
  const tiers = wholeOnes(read.tiers);
  onlyOnce(file, ["databases"], databases, "database");
  checkPaths(file, databases, wholeOnes(read.hosts));
  for (const { at, name, thing } of databases) {
    const { tier, owner, size, "size-class": said } = thing;
    mustBe(file, ["databases", at, "tier"], tier, read.tiers ? namesOf(read.tiers) : null, "tier");
    mustBe(file, ["databases", at, "owner"], owner, namesOf(read.services), "service");
    const rpo = tiers.find((one) => one.name === tier)?.thing.rpo ?? Number.POSITIVE_INFINITY;
    if ((thing["sync-interval"] ?? 0) > rpo)
      file.addAt(["databases", at, "sync-interval"], ...unreachable(`the tier of ${name}`));
    if (said && size !== undefined && said !== sizeClassOf(size))
      file.addAt(
        ["databases", at, "size-class"],
        `${size} bytes are ${sizeClassOf(size)}, not ${said}.`,
        "Leave size-class out.",
      );
  }
}

/** Files that SQLite and Litestream keep beside a database. */
const BESIDE = /-(?:wal|shm|journal|litestream)$/;

function checkPaths(file: YamlFile, databases: Databases, hosts: Hosts): void {
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
}
