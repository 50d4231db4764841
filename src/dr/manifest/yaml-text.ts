import { closeSync, openSync, readSync } from "node:fs";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { utf8 } from "./utf8.ts";

/** What a file should be, for messages. */
export interface Wanted {
  /** `manifest`. */
  readonly noun: string;
  /** What it is called most often. */
  readonly name: string;
  /** Thrown where there is none. */
  readonly missing: () => Exit;
}

/** Bytes at most; a manifest of 69 databases has 12 KiB. */
const MOST = 2 ** 20;

/** The text of a file that somebody wrote. Throws `missing`, Exit 64 for a folder or what is far too long, ManifestError for no UTF-8. */
export function readYamlText(file: string, wanted: Wanted): string {
  return utf8(bytesOf(file, wanted), file);
}

function bytesOf(file: string, wanted: Wanted): Buffer {
  const { noun, name, missing } = wanted;
  try {
    return beginning(file, wanted);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOENT" || code === "ENOTDIR") throw missing();
    if (code !== "EISDIR") throw error;
    throw new Exit(
      EXIT.usage,
      noun,
      `${file} is a folder, not a ${noun}.`,
      `Name the file in it, for example ${file}/${name}`,
    );
  }
}

/** The whole file, where it is no longer than such a one can be: what is named by mistake may have no end. */
function beginning(file: string, { noun, name }: Wanted): Buffer {
  const fd = openSync(file, "r");
  try {
    const bytes = Buffer.allocUnsafe(MOST + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= MOST; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length <= MOST) return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
  const message = `${file} has more than ${MOST / 2 ** 20} MiB: that is no ${noun}.`;
  throw new Exit(EXIT.usage, noun, message, `Name the ${name}; one of 69 databases has some 12 KiB.`);
}
