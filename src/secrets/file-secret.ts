import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/** Writes a secret into a file of mode 0600 for a command that wants a path. @returns the path. */
export function writeSecret(folder: string, name: string, value: string): string {
  const file = join(folder, name);
  const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const bytes = Buffer.from(value, "utf8");
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
  return file;
}
