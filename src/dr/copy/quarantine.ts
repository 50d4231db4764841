import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Millis } from "@alai/core";
import { syncFolder } from "./durable.ts";

/** Copies that were put aside, kept for who wants to know why. */
const KEPT = 2;

/**
 * Puts a working copy aside, with its log, and keeps the newest two. The caller has written down before that it is worth nothing.
 * @param step told before each step. Throws what the file system refuses: the next fresh restore takes the place anyway.
 */
export function putInQuarantine(path: string, now: Millis, step: (name: string) => void): void {
  const aside = `${path}.quarantined-${now}`;
  step("put aside");
  if (existsSync(path)) renameSync(path, aside);
  step("put its log aside");
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  step("thin out");
  for (const old of inQuarantine(path).slice(0, -KEPT))
    for (const sidecar of ["", "-wal"]) rmSync(old + sidecar, { recursive: true, force: true });
  syncFolder(dirname(path));
}

/** What was put aside of a working copy, oldest first, without their logs. */
export function inQuarantine(path: string): readonly string[] {
  const start = `${basename(path)}.quarantined-`;
  const found = readdirSync(dirname(path)).filter((entry) => entry.startsWith(start) && !entry.endsWith("-wal"));
  return found.sort().map((entry) => join(dirname(path), entry));
}
