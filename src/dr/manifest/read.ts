import { closeSync, openSync, readSync } from "node:fs";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { manifestFile } from "./file.ts";
import type { Manifest } from "./model.ts";
import { parseManifest } from "./parse.ts";
import { utf8 } from "./utf8.ts";

export { manifestFile };

/** Bytes of a manifest at most; one of 69 databases has 12 KiB. */
const MOST = 2 ** 20;

/**
 * The manifest, checked. @param flag the value of `--manifest`. Throws Exit 3 when there is none, Exit 64 for a folder or what is
 * far too large, ManifestError (64) with everything that is wrong in it.
 */
export function readManifest(context: Context, flag?: string): Manifest {
  const file = manifestFile(context, flag);
  return parseManifest(utf8(readBytes(file), file), file);
}

function readBytes(file: string): Buffer {
  try {
    return beginning(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "EISDIR")
      throw new Exit(
        EXIT.usage,
        "manifest",
        `${file} is a folder, not a manifest.`,
        `Name the file, for example --manifest ${file}/dr.manifest.yaml`,
      );
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw new Exit(
      EXIT.notFound,
      "no_manifest",
      `There is no manifest ${file}.`,
      "Name it with --manifest FILE, ALAI_DR_MANIFEST, or alai config set dr.manifest FILE.",
    );
  }
}

/** The whole file, where it is no longer than a manifest can be: what is named by mistake may have no end. */
function beginning(file: string): Buffer {
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
  throw new Exit(
    EXIT.usage,
    "manifest",
    `${file} has more than ${MOST / 2 ** 20} MiB: that is no manifest.`,
    "Name the dr.manifest.yaml; one of 69 databases has 12 KiB.",
  );
}
