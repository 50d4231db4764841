import { posix } from "node:path";
import type { Host } from "../manifest/model.ts";
import type { OldDatabase, Remark } from "./read.ts";
import type { OldPlace } from "./storage.ts";

/** A database of the old config, and what a manifest can say of it. Times in ms. */
export interface Placed {
  readonly database: OldDatabase;
  readonly place: OldPlace;
  readonly retention: number;
  /** Null: not said. */
  readonly snapshot: number | null;
  readonly sync: number;
}

/** What the manifest is to say that no config does. */
export interface Around {
  /** What to call the primary. */
  readonly host: string;
  /** Who owns the databases. */
  readonly user: string;
  /** Of this machine, for paths that say nothing of the system. */
  readonly os: Host["os"];
}

function guess(key: string, detail: string, lines: number[] = []): Remark {
  return { kind: "guessed", key, lines, detail };
}

/** What 0.3 has sent has another layout. */
export function oldBackups(placed: readonly Placed[], remarks: readonly Remark[]): Remark[] {
  const old = remarks.some(({ key }) => /^replica\.(?:retention|snapshot-interval|validation-interval)/.test(key));
  if (!old || placed.length === 0) return [];
  const isAzure = placed[0]?.place.storage[0]?.[1] === "azure";
  const how = isAzure
    ? "0.5 cannot read from Azure: keep a Litestream 0.3.13 for it"
    : "litestream restore of 0.5 reads";
  return [
    {
      ...{ kind: "not-taken", key: "backups of 0.3", lines: [] },
      detail: `What 0.3 has sent, ${how}. It stays where it is; alai's replicas begin anew beside it, below e1/.`,
    },
  ];
}

/** Where the account is said by the endpoint alone, people rely on a variable that no Litestream reads. */
export function accountGuess(placed: readonly Placed[]): Remark[] {
  const without = placed.filter(
    ({ place, database }) => place.storage[0]?.[1] === "azure" && !database.replica["account-name"],
  );
  const [first] = without;
  if (!first) return [];
  const account = first.place.storage.find(([key]) => key === "account")?.[1];
  const detail = `No account-name is said: ${account} is of the endpoint or URL. Without one 0.5 signs in as whoever it finds, a person's az login too; the variable AZURE_STORAGE_ACCOUNT it never reads.`;
  return [
    guess(
      "storage.account",
      detail,
      without.map(({ database }) => database.line),
    ),
  ];
}

/** What no config says and a manifest must, and what was put there. */
export function guesses(
  placed: readonly Placed[],
  { user, os, folder }: Around & { readonly folder: string },
): Remark[] {
  const silent = placed.filter(({ database: { replica, snapshot } }) => !replica.retention && !snapshot.retention);
  return [
    ...(silent.length === 0
      ? []
      : [
          guess(
            "tiers.retention",
            "No retention is said: 24h, which is what 0.5 keeps then.",
            silent.map(({ database }) => database.line),
          ),
        ]),
    guess("tiers.rpo", "How much may be lost no config says: 1m, or as long as the sync-interval. Put your rule."),
    guess(
      "tiers.heartbeat",
      "None, so that nothing is written into your databases: proofs are by position (B). heartbeat: 10s has them read back out of storage (A).",
    ),
    ...folderGuess(placed),
    guess("hosts.os", `${os}: ${osReason(folder, os)}.`),
    guess("hosts.user", `${user}: the daemon runs as this user, who must be able to write the databases.`),
    guess("hosts.addresses", "127.0.0.1: put those by which other hosts reach this one."),
    guess("hosts", "There is one host, the primary: add a standby, which keeps copies."),
  ];
}

/** Litestream has a path for each replica, and alai one folder with epochs in it. */
function folderGuess(placed: readonly Placed[]): Remark[] {
  const inFolders = placed.filter(({ place }) => place.storage[0]?.[1] === "file");
  const [first] = inFolders;
  if (!first) return [];
  const [folder, name] = [first.place.storage.find(([key]) => key === "path")?.[1], first.place.path];
  const detail = `${folder}: the folder that the replica ${name} is in. alai's own replica of it is ${posix.join(folder ?? "/", "e1", name)}; what lies in ${posix.join(folder ?? "/", name)} stays there, and nothing reads it.`;
  return [
    guess(
      "storage.path",
      detail,
      inFolders.map(({ database }) => database.line),
    ),
  ];
}

function osReason(folder: string, os: Host["os"]): string {
  if (isOf(folder, MAC))
    return "the databases are below /Users or another folder of a Mac, so it is launchd that starts the agent";
  if (isOf(folder, UNIX)) return "the databases are below a folder of Linux, so it is systemd that starts the agent";
  return `the paths say nothing of the system, so it is this machine's; ${os === "darwin" ? "linux" : "darwin"} is the other`;
}

const MAC = /^\/(?:Users|Volumes|private|Library)\//;
const UNIX = /^\/(?:home|var|srv|opt|root|mnt|data|etc)\//;

function isOf(folder: string, system: RegExp): boolean {
  return system.test(`${folder}/`);
}

/** @param here of this machine, for paths that say nothing. */
export function osOf(folder: string, here: Host["os"]): Host["os"] {
  if (isOf(folder, MAC)) return "darwin";
  return isOf(folder, UNIX) ? "linux" : here;
}
