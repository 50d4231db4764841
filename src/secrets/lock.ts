import type { Context } from "../kit/context.ts";
import { sweepFolders } from "./bw/folder.ts";
import { BwFiles } from "./session.ts";

/** Throws the session key away. @param forget bw's data too: bw asks no server either when it signs out. */
export async function lockVault(
  context: Context,
  profile: string,
  forget: boolean,
): Promise<{ wasUnlocked: boolean; signedOut: boolean }> {
  sweepFolders(context);
  const files = await BwFiles.open(context, profile);
  if (!files) return { wasUnlocked: false, signedOut: false };
  const wasUnlocked = await files.lock();
  const session = files.session();
  if (!forget || !session) return { wasUnlocked, signedOut: false };
  await files.changing(() => files.forget(session.server));
  return { wasUnlocked, signedOut: true };
}
