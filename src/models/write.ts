import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Replaces a file of `modelsFolder`: a reader has the old text or the new one, whole. Not flushed to the disk: after a power
 * failure what it says would be stale anyway, and a text that is not whole is read as none.
 */
export function replaceFile(folder: string, name: string, value: unknown): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `${name}.${process.pid}-${randomBytes(4).toString("hex")}.new`);
  try {
    writeFileSync(aside, `${JSON.stringify(value)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(aside, join(folder, name));
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
