import type { Context } from "../kit/context.ts";
import { sweepFolders } from "./bw/folder.ts";
import { findBw } from "./bw/program.ts";
import { syncData } from "./bw/sync.ts";
import { BwVault } from "./bw/vault.ts";
import { BwFiles, vaultLocked } from "./session.ts";
import type { Vault } from "./vault.ts";

/**
 * The unlocked vault of a profile. Nothing is asked of a server, and bw starts at the first question. Throws Exit 4 when the
 * vault is locked, or was not used for too long; 69 when bw cannot be used. Close it.
 */
export async function openVault(context: Context, profileName: string): Promise<Vault> {
  sweepFolders(context);
  const files = await BwFiles.open(context, profileName);
  const unlocked = await files?.unlocked(context);
  if (!files || !unlocked) throw vaultLocked(files?.session() ?? null);
  const program = findBw(context);
  return new BwVault(context, program, unlocked, async () => {
    await syncData(context, program, files, unlocked.session.server, unlocked.key);
    const now = await files.unlocked(context);
    if (!now) throw vaultLocked();
    return now;
  });
}
