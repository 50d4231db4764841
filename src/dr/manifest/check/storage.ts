import type { Primary } from "../../epoch.ts";
import { filesByReplica } from "../../ltx/name.ts";
import type { Blob } from "../../storage/storage.ts";
import type { Database, Host } from "../model.ts";
import type { Finding } from "./finding.ts";

const EPOCH = /^e(\d+)\//;
/** What alai keeps there itself. */
const OURS = "_alai/";

/**
 * Compares what is in storage with the manifest. @param blobs everything below the prefix. @param absent names of databases that
 * may be missing, and are. @param current the epoch that storage says is the primary's; without it the newest one there is.
 */
export function checkStorage(
  blobs: readonly Blob[],
  databases: readonly Database[],
  absent: ReadonlySet<string>,
  current?: number,
): readonly Finding[] {
  const found = epochsOf(blobs);
  const newest = found.length === 0 ? undefined : (current ?? found.at(-1));
  const epochs = newest === undefined || found.includes(newest) ? found : [...found, newest];
  const known = new Set(databases.map(({ name }) => name));
  const replicas = epochs.map((epoch) => ({ epoch, names: namesIn(blobs, epoch) }));
  const strange = replicas.flatMap(({ epoch, names }) =>
    [...names].filter((name) => !known.has(name)).map((name) => unexpected(`e${epoch}/${name}`)),
  );
  const lacking = databases
    .filter(({ name }) => !absent.has(name))
    .filter(({ name }) => !replicas.find(({ epoch }) => epoch === newest)?.names.has(name))
    .map(({ name }): Finding => {
      const before = replicas.findLast(({ names }) => names.has(name));
      const older = before ? `; the last one is in e${before.epoch}` : "";
      const where =
        newest === undefined ? "" : ` in e${newest}, the ${current === undefined ? "newest" : "current"} epoch`;
      return { kind: "no-replica", name, detail: `It has no replica${where}${older}.`, wrong: true };
    });
  return [...lacking, ...strange, ...foldersBeside(blobs).map(unexpected)];
}

/** Who may write is for storage to say: after a failover the manifest is to be changed by hand. An owner is one of its hosts. */
export function checkRoles({ epoch, owner }: Primary, hosts: readonly Host[]): readonly Finding[] {
  const said = hosts.find(({ role }) => role === "primary")?.name;
  if (owner === said) return [];
  const detail = `Storage says that ${owner} is the primary (epoch ${epoch}); here it is ${said}. Change the roles on every host.`;
  return [{ kind: "doubtful", name: owner, detail, wrong: true }];
}

function unexpected(name: string): Finding {
  return { kind: "unexpected", name, detail: "It is in storage, and no database of the manifest.", wrong: true };
}

function epochsOf(blobs: readonly Blob[]): number[] {
  const numbers = blobs.flatMap(({ key }) => EPOCH.exec(key)?.[1] ?? []).map(Number);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function namesIn(blobs: readonly Blob[], epoch: number): ReadonlySet<string> {
  return new Set(filesByReplica(blobs, `e${epoch}/`).keys());
}

/** Folders of what belongs to no epoch: replicas of Litestream 0.3 mostly, and other programs' files. */
function foldersBeside(blobs: readonly Blob[]): string[] {
  const others = blobs.filter(({ key }) => !EPOCH.test(key) && !key.startsWith(OURS));
  return [...new Set(others.map(({ key }) => key.split("/")[0] ?? key))].sort();
}
