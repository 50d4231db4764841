import { statSync } from "node:fs";
import { isUnowned } from "./beater.ts";

/** A file in which Litestream alone has made its tables is no larger, whatever its page size. */
const LARGEST_EMPTY = 256 * 1024;

/** Whether there is nothing of a service's at a path: no file, one of no bytes, or one with Litestream's and our own tables alone. */
export function hasNothing(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LARGEST_EMPTY) return false;
  try {
    return isUnowned(file);
  } catch {
    // It is no database, or locked: there is something in it.
    return false;
  }
}
