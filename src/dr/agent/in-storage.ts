import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isUnowned } from "../heartbeat/beater.ts";
import { LtxDamage } from "../ltx/damage.ts";
import { LtxHole } from "../ltx/plan.ts";
import { buildDatabase } from "../restore/build.ts";
import { listReplicas } from "../restore/replicas.ts";
import { chooseTarget } from "../restore/target.ts";
import type { Storage } from "../storage/storage.ts";

interface InStorage {
  readonly storage: Storage;
  /** Of databases. */
  readonly names: readonly string[];
  /** A folder for what is restored for a moment. */
  readonly scratch: string;
}

/**
 * What storage has of databases that are empty here, and of which nobody knows whether they ever had data. Each one's newest replica,
 * of whatever epoch, is restored to see whether a service has made anything in it.
 * @returns by name: bytes of its data; 0: there is none; a sentence: it cannot be restored. Throws StorageError: it is not known.
 */
export async function dataInStorage({
  storage,
  names,
  scratch,
}: InStorage): Promise<ReadonlyMap<string, number | string>> {
  const replicas = await listReplicas(storage);
  const found = new Map<string, number | string>();
  for (const name of names) {
    const [newest] = replicas.get(name) ?? [];
    found.set(name, newest ? await bytesOf(() => chooseTarget(name, newest.files, {}), { storage, scratch }) : 0);
  }
  return found;
}

async function bytesOf(
  target: () => ReturnType<typeof chooseTarget>,
  { storage, scratch }: Pick<InStorage, "storage" | "scratch">,
): Promise<number | string> {
  const file = join(scratch, "database");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  try {
    await buildDatabase(storage, target().files, file);
    return isUnowned(file) ? 0 : statSync(file).size;
  } catch (error) {
    if (error instanceof LtxHole || error instanceof LtxDamage) return error.message;
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
