import { existsSync, renameSync, rmSync } from "node:fs";
import type { Transferable } from "@alai/core";
import { type MirrorMark, makeMirror } from "@alai/core/sqlite/mirror";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { copyWhole } from "../transfer/export.ts";

/** Makes a whole copy of the server beside the mirror. @param mark its moment is when this began. @returns the copy's path. */
export async function copyAside(
  context: Context,
  server: Transferable,
  file: string,
  mark: Omit<MirrorMark, "copied">,
): Promise<string> {
  const aside = `${file}.new`;
  removeFile(aside);
  try {
    const { found } = await copyWhole(context, server, aside);
    const why = found.differences.join("; ");
    if (!found.equal) throw new Exit(EXIT.refused, "not_equal", "The copy of the server is not equal to it.", why);
    makeMirror(aside, { ...mark, copied: mark.at });
    return aside;
  } catch (error) {
    removeFile(aside);
    throw error;
  }
}

/**
 * Puts the copy in the mirror's place, which nobody here has open any more. @param keep the mirror there knows what the server
 * does not: it stays, under another name, which is given back.
 */
export function putInPlace(aside: string, file: string, keep: boolean, now: number): string | null {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const kept = keep && existsSync(file) ? `${file}.before-${stamp}` : null;
  if (kept) renameSync(file, kept);
  renameSync(aside, file);
  return kept;
}

function removeFile(file: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(`${file}${end}`, { force: true });
}
