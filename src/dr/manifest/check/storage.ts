import { filesByReplica } from "../../ltx/name.ts";
import type { Blob } from "../../storage/storage.ts";
import type { Database } from "../model.ts";
import type { Finding } from "./finding.ts";

const EPOCH = /^e(\d+)\//;
/** What alai keeps there itself. */
const OURS = "_alai/";

/**
 * Compares what is in storage with the manifest. @param blobs everything below the prefix. @param absent names of databases that
 * may be missing, and are.
 */
export function checkStorage(
  blobs: readonly Blob[],
  databases: readonly Database[],
  absent: ReadonlySet<string>,
): readonly Finding[] {
  const epochs = epochsOf(blobs);
  const newest = epochs.at(-1);
  const known = new Set(databases.map(({ name }) => name));
  const replicas = epochs.map((epoch) => ({ epoch, names: namesIn(blobs, epoch) }));
  const strange = replicas.flatMap(({ epoch, names }) =>
    [...names].filter((name) => !known.has(name)).map((name) => unexpected(`e${epoch}/${name}`)),
  );
  const lacking = databases
    .filter(({ name }) => !absent.has(name))
    .filter(({ name }) => !replicas.at(-1)?.names.has(name))
    .map(({ name }): Finding => {
      const before = replicas.findLast(({ names }) => names.has(name));
      const older = before ? `; the last one is in e${before.epoch}` : "";
      const where = newest === undefined ? "" : ` in e${newest}, the newest epoch`;
      return { kind: "no-replica", name, detail: `It has no replica${where}${older}.`, wrong: true };
    });
  return [...lacking, ...strange, ...foldersBeside(blobs).map(unexpected)];
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
