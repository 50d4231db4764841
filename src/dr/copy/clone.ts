import { constants } from "node:fs";
import { chmod, copyFile, open } from "node:fs/promises";

/**
 * Clones a database for readers: says in the header that there is no write-ahead log, so that they need no file beside it and no
 * right to make one, and takes away the right to write. Journal mode is two bytes (sqlite.org/fileformat2.html, 1.3); all others
 * are the working copy's. Nobody may change that meanwhile.
 */
export async function makeClone(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, 0o600);
  const file = await open(to, "r+");
  try {
    await file.write(new Uint8Array([1, 1]), 0, 2, 18);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(to, 0o444);
}
