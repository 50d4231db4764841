import { existsSync, rmSync, writeFileSync } from "node:fs";
import { usage } from "../../kit/errors.ts";
import { exported, exportText, protect, SLOW } from "./export-file.ts";
import type { Inventory } from "./inventory.ts";

/** Throws a usage error before anybody types anything: a backup is never written over. */
export function requireFree(file: string): void {
  if (existsSync(file))
    throw usage(`${file} is there already, and a backup is never written over.`, "Name another file.");
}

/** Writes all of an inventory as a password-protected export, which any client of Bitwarden can import. */
export async function writeBackup(file: string, { entries, folders }: Inventory, passphrase: string): Promise<void> {
  const items = entries.map(({ raw, folder }) => exported(raw, (folder && folders.get(folder)) || null));
  const text = exportText(
    [...folders].map(([name, id]) => ({ id, name })),
    items,
  );
  const sealed = await protect(text, passphrase, SLOW);
  requireFree(file);
  try {
    writeFileSync(file, sealed, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") rmSync(file, { force: true });
    throw error;
  }
}
