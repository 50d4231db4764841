import { closeSync, copyFileSync, ftruncateSync, openSync, renameSync, rmSync, statSync } from "node:fs";

/** Bytes of a child's log before it is put aside, and how many of these are kept. */
export const LARGEST = 8 * 2 ** 20;
const KEPT = 3;

/**
 * Puts a log aside that has grown too long. A child has it open for appending, so it is copied and emptied in place: a line
 * written in between is lost, which a log may.
 */
export function rotate(file: string, largest = LARGEST): boolean {
  if (sizeOf(file) < largest) return false;
  rmSync(`${file}.${KEPT}`, { force: true });
  for (let number = KEPT - 1; number >= 1; number--) {
    if (sizeOf(`${file}.${number}`) > 0) renameSync(`${file}.${number}`, `${file}.${number + 1}`);
  }
  copyFileSync(file, `${file}.1`);
  const fd = openSync(file, "r+");
  ftruncateSync(fd, 0);
  closeSync(fd);
  return true;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
