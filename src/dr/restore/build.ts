import { rm } from "node:fs/promises";
import { PageFile } from "../copy/page-file.ts";
import { type Decoded, decodeLtx } from "../ltx/decode.ts";
import type { LtxFile } from "../ltx/name.ts";
import type { Storage } from "../storage/storage.ts";
import { fetchInOrder } from "./fetch.ts";

/**
 * Makes a database file out of a plan that begins with a whole image. Nothing is left where it fails.
 * @param path a new file. @param onBytes told how much of storage was read.
 * @returns the last file's header. Throws `LtxDamage`, `StorageError`, and what the file system refuses.
 */
export async function buildDatabase(
  storage: Storage,
  files: readonly LtxFile[],
  path: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Decoded> {
  const target = await PageFile.create(path);
  let last: Decoded | null = null;
  try {
    for await (const { file, pieces } of fetchInOrder(storage, files)) {
      last = await decodeLtx(counted(pieces, onBytes), target, file);
    }
    await target.finish();
    await target.close();
  } catch (error) {
    await target.close();
    await rm(path, { force: true });
    throw error;
  }
  if (!last) throw new TypeError("A database cannot be made of no files.");
  return last;
}

async function* counted(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, onBytes: (bytes: number) => void) {
  for await (const piece of pieces) {
    yield piece;
    onBytes(piece.length);
  }
}
