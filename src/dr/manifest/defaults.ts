import { posix } from "node:path";
import type { Millis } from "@alai/core";
import type { Database } from "./model.ts";

/** What holds where the manifest does not say. */

/** TCP port of an agent's HTTP. */
export const DEFAULT_PORT = 9470;

const DAY: Millis = 86_400_000;
const MIB = 1_048_576;

/** @param retention of the same tier. */
export function snapshotIntervalOf(
  tier: { readonly "snapshot-interval"?: Millis | undefined },
  retention: Millis,
): Millis {
  return tier["snapshot-interval"] ?? Math.min(DAY, retention);
}

export function syncIntervalOf(tier: { readonly "sync-interval"?: Millis | undefined }): Millis {
  return tier["sync-interval"] ?? 1000;
}

/** Below the folder of the databases, in its shortest form. */
export function pathOf(name: string, path: string | undefined): string {
  return posix.normalize(path ?? `${name}.db`);
}

/** @param size bytes; absent where not known. */
export function sizeClassOf(size: number | undefined): Database["sizeClass"] {
  if (size === undefined) return "unknown";
  if (size === 0) return "empty";
  if (size < MIB) return "small";
  return size < 64 * MIB ? "medium" : "large";
}
