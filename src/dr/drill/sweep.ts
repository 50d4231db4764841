import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { findProcesses, lookAtProcess } from "../agent/processes.ts";
import { Slots } from "../copy/slots.ts";
import type { StorageSpec } from "../manifest/model.ts";
import type { Storage } from "../storage/storage.ts";
import { DRILLS, type DrillPlace } from "./place.ts";

/** A drill of another machine may still run: what is younger is left to it. */
const OLD: Millis = 86_400_000;
const AT_ONCE = 8;

/** The name of the file in scratch that says whose it is. */
export const ID_FILE = "id";

/**
 * Ends and removes on this machine what a drill left behind that was killed. To be called by who holds the lock: then nobody else's
 * is there. @returns that drill's id; null: there was nothing.
 */
export async function sweepHere({ reports, scratch }: DrillPlace, platform: string): Promise<string | null> {
  for (const { pid, command } of await findProcesses(platform, `-config ${scratch}/`)) {
    if (!/(^|\s)replicate(\s|$)/.test(command)) continue;
    endProcess(pid);
    while (await lookAtProcess(platform, pid)) await sleep(20);
  }
  const id = idIn(scratch);
  rmSync(scratch, { recursive: true, force: true });
  for (const name of readdirSync(reports)) if (name.endsWith(".tmp")) rmSync(join(reports, name), { force: true });
  return id;
}

/**
 * Removes replicas of drills from storage that no drill removed itself. @param dead ids of which it is known that nobody uses them.
 * @returns how many drills. Throws StorageError.
 */
export async function sweepStorage(
  storage: Storage,
  spec: StorageSpec,
  { now, dead }: { readonly now: Millis; readonly dead: readonly string[] },
): Promise<number> {
  const drills = Map.groupBy(await storage.list(DRILLS), ({ key }) => key.slice(DRILLS.length).split("/")[0] ?? "");
  let swept = 0;
  for (const [id, blobs] of drills) {
    const newest = Math.max(...blobs.map(({ modified }) => modified));
    if (!dead.includes(id) && newest > now - OLD) continue;
    await removeDrill(storage, spec, id);
    swept += 1;
  }
  return swept;
}

/** Removes all that one drill has put into storage. Throws StorageError. */
export async function removeDrill(storage: Storage, spec: StorageSpec, id: string): Promise<void> {
  const prefix = `${DRILLS}${id}/`;
  const slots = new Slots(AT_ONCE);
  const blobs = await storage.list(prefix);
  await Promise.all(blobs.map(({ key }) => slots.run(() => storage.remove(key))));
  // A folder keeps its folders, and what Litestream had not finished.
  if (spec.type === "file")
    rmSync(posix.join(spec.path, spec.prefix, prefix), { recursive: true, force: true, maxRetries: 3 });
}

function idIn(scratch: string): string | null {
  try {
    return readFileSync(join(scratch, ID_FILE), "utf8").trim() || null;
  } catch {
    return null;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
