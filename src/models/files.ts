import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StatusDocument } from "./document.ts";
import type { Override } from "./override.ts";

/** Where the files of `alai models` are. @param data the platform's data folder. */
export function modelsFolder(data: string): string {
  return join(data, "models");
}

/** The watcher's document; null when there is none that this version understands. @param folder of `modelsFolder`. */
export function readStatus(folder: string): StatusDocument | null {
  const found = readJson<StatusDocument>(join(folder, "status.json"));
  return found?.version === 1 ? found : null;
}

/** Overrides, also those whose time is over. @param folder of `modelsFolder`. */
export function readOverrides(folder: string): readonly Override[] {
  return readJson<{ readonly overrides: readonly Override[] }>(join(folder, "overrides.json"))?.overrides ?? [];
}

/** Null for what is not there, and for what is no JSON: both files are written whole, and made anew by the next write. */
function readJson<T>(file: string): T | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
  try {
    return JSON.parse(text) as T | null;
  } catch {
    return null;
  }
}
