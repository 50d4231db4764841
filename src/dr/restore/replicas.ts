import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { filesByReplica, type LtxFile } from "../ltx/name.ts";
import type { Blob, Storage } from "../storage/storage.ts";

/** What storage has of one database in one epoch. */
export interface Replica {
  readonly epoch: number;
  readonly files: readonly LtxFile[];
}

/** All replicas of all epochs, from one flat listing. @param epoch only this one. @returns database's name → newest epoch first. */
export async function listReplicas(storage: Storage, epoch?: number): Promise<ReadonlyMap<string, readonly Replica[]>> {
  const blobs = await storage.list(epoch === undefined ? "e" : `e${epoch}/`);
  const replicas = new Map<string, Replica[]>();
  for (const number of epochsOf(blobs))
    for (const [name, files] of filesByReplica(blobs, `e${number}/`))
      replicas.set(name, [...(replicas.get(name) ?? []), { epoch: number, files }]);
  return replicas;
}

function epochsOf(blobs: readonly Blob[]): number[] {
  const epochs = new Set<number>();
  for (const { key } of blobs) {
    const epoch = /^e(\d{1,9})\//.exec(key)?.[1];
    if (epoch !== undefined) epochs.add(Number(epoch));
  }
  return [...epochs].sort((a, b) => b - a);
}

/** The replica of the newest epoch that has one. Throws Exit 3 where there is none. */
export function requireReplica(
  replicas: ReadonlyMap<string, readonly Replica[]>,
  name: string,
  { storage, epoch }: { readonly storage: Storage; readonly epoch?: number | undefined },
): Replica {
  const [newest] = replicas.get(name) ?? [];
  if (newest) return newest;
  const where = epoch === undefined ? "" : ` in epoch ${epoch}`;
  throw new Exit(
    EXIT.notFound,
    "no_replica",
    `${storage.label} has nothing of ${name}${where}.`,
    "Is it replicated? alai dr status says so; --epoch N reads another epoch.",
  );
}
