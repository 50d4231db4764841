import { stat } from "node:fs/promises";
import { StoreError } from "@alai/core";
import { StorageError, type StorageTrouble } from "./storage.ts";
import { conflict, missing } from "./trouble.ts";

const TROUBLES: Readonly<Record<string, StorageTrouble>> = {
  EACCES: "refused",
  EPERM: "refused",
  EROFS: "refused",
  ENOSPC: "full",
  EDQUOT: "full",
  EEXIST: "conflict",
};

/** What a refusal of the file system means for who asked for `key` of the folder at `root`. */
export async function folderTrouble(
  error: unknown,
  at: { readonly root: string; readonly label: string; readonly key: string },
): Promise<Error> {
  if (error instanceof StorageError) return error;
  // The lock's holder is at it for longer than anybody waits.
  if (error instanceof StoreError) return new StorageError("slow", `${at.label}: ${error.message}`);
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return notThere(at, message);
  const trouble = TROUBLES[code] ?? (code === "" ? null : "failed");
  if (trouble === null) return error as Error;
  if (trouble === "conflict") return conflict(at.label, at.key);
  const says = { refused: "may not be used", full: "is full" }[trouble as string] ?? "failed";
  return new StorageError(trouble, `${at.label} ${says}: ${message}.`);
}

async function notThere(
  { root, label, key }: { readonly root: string; readonly label: string; readonly key: string },
  message: string,
): Promise<StorageError> {
  try {
    await mustBeThere(root);
  } catch (error) {
    return error as StorageError;
  }
  return key === "" ? new StorageError("failed", `${label} failed: ${message}.`) : missing(label, key);
}

/** Throws StorageError when there is no such folder: an unmounted disk, most likely, which one made by us would hide. */
export async function mustBeThere(root: string): Promise<void> {
  const found = await stat(root).catch(() => null);
  if (found && !found.isDirectory())
    throw new StorageError(
      "failed",
      `The storage ${root} is a file, and has to be a folder.`,
      "Name the folder that the disk is mounted at as storage.path of the manifest, or move that file away.",
    );
  if (!found)
    throw new StorageError("failed", `The folder ${root} is not there.`, `Mount it, or make it: mkdir ${root}`);
}
