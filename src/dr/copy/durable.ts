import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Makes what was created, renamed or removed in a folder outlast a power failure. Windows cannot and need not be asked. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Replaces a small file: after a crash at any moment the old text is there or the new one, whole. */
export function replaceDurably(path: string, text: string): void {
  const aside = `${path}.tmp`;
  const file = openSync(aside, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  syncFolder(dirname(path));
}
