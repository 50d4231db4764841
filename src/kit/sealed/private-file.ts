import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
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

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = constants;
let written = 0;

/** Written aside, flushed, and renamed: a reader has the old bytes or the new ones. */
export function writePrivate(file: string, bytes: Uint8Array): void {
  const aside = `${file}.${process.pid}-${++written}.new`;
  const fd = openSync(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  syncFolder(dirname(file));
}

/** Null when there is none. Throws (exit 69) for one that others may read or that is another's. */
export function readPrivate(file: string): Buffer | null {
  let fd: number;
  try {
    fd = openSync(file, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
  try {
    requirePrivate(file, fd);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function requirePrivate(file: string, fd: number): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const { mode, uid: owner } = fstatSync(fd);
  if (owner !== uid)
    throw new Exit(
      EXIT.unavailable,
      "unsafe_file",
      `${file} belongs to another user, so it is not used.`,
      "Remove it.",
    );
  if ((mode & 0o077) !== 0)
    throw new Exit(
      EXIT.unavailable,
      "unsafe_file",
      `${file} can be read by others, so it is not used.`,
      `Type chmod 600 ${file}`,
    );
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
