import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";

/** Files of mode 0600 that only this user may read; where others may, or a link stands in the way, they are not trusted. */

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY } = constants;
/** The end of the names of what is written aside. */
export const ASIDE = ".new";

/** Written aside, flushed, and renamed: a reader has the old bytes or the new ones. Throws Exit 69 when the disk is full. */
export function writePrivate(file: string, bytes: Uint8Array): void {
  reservePrivate(file, 0).fill(bytes);
}

/** Room on the disk for what a file will be. Filled once, or given back. */
export interface Room {
  fill(bytes: Uint8Array): void;
  giveBack(): void;
}

/** Takes the room before something is done that cannot be undone when there turns out to be none. Throws Exit 69 then. */
export function reservePrivate(file: string, size: number): Room {
  // A process that was killed leaves its file, and another may have its number: the name is nobody else's in any case.
  const aside = `${file}.${randomBytes(6).toString("hex")}${ASIDE}`;
  const fd = openAside(file, aside);
  let isOpen = true;
  const giveBack = () => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(fd);
    rmSync(aside, { force: true });
  };
  const orGiveBack = (act: () => void) => {
    try {
      act();
    } catch (error) {
      giveBack();
      throw worded(file, error);
    }
  };
  // Not zeros: some file systems keep none of them.
  orGiveBack(() => writeAll(fd, randomBytes(size)));
  return {
    giveBack,
    fill: (bytes) =>
      orGiveBack(() => {
        writeAll(fd, bytes);
        ftruncateSync(fd, bytes.length);
        fsyncSync(fd);
        renameSync(aside, file);
        isOpen = false;
        closeSync(fd);
        syncFolder(dirname(file));
      }),
  };
}

function openAside(file: string, aside: string): number {
  try {
    return openSync(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw worded(file, error);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
}

function worded(file: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" ? diskFull(file) : error;
}

export function diskFull(where: string): Exit {
  return new Exit(
    EXIT.unavailable,
    "disk_full",
    `The disk of ${where} is full; what was there is unchanged.`,
    "Free some space and try again.",
  );
}

/** Null when there is none. Throws (exit 69) for one that others may read, that is another's, or that is no plain file. */
export function readPrivate(file: string): Buffer | null {
  let fd: number;
  try {
    // Without waiting, or a pipe of that name would hang.
    fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (code === "ELOOP") throw unsafe(`${file} is a link, so it is not used.`, "Remove it.");
    throw error;
  }
  try {
    requirePrivate(file, fd);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a folder of mode 0700, or takes the rights of others from it. Throws (exit 69) for a link and for another's. */
export function privateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory()) throw unsafe(`${folder} is not a folder of its own, so it is not used.`, "Remove it.");
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (found.uid !== uid) throw unsafe(`${folder} belongs to another user, so it is not used.`, "Remove it.");
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function requirePrivate(file: string, fd: number): void {
  const found = fstatSync(fd);
  if (!found.isFile()) throw unsafe(`${file} is not a plain file, so it is not used.`, "Remove it.");
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (found.uid !== uid) throw unsafe(`${file} belongs to another user, so it is not used.`, "Remove it.");
  if ((found.mode & 0o077) !== 0)
    throw unsafe(`${file} can be read by others, so it is not used.`, `Type chmod 600 ${file}`);
}

function unsafe(message: string, hint: string): Exit {
  return new Exit(EXIT.unavailable, "unsafe_file", message, hint);
}

/** So that the rename survives a power cut. Folders cannot be flushed everywhere. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows.
  }
}
