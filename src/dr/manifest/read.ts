import { readFileSync } from "node:fs";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { manifestFile } from "./file.ts";
import type { Manifest } from "./model.ts";
import { parseManifest } from "./parse.ts";

export { manifestFile };

/**
 * The manifest, checked. @param flag the value of `--manifest`. Throws Exit 3 when there is none, ManifestError (exit 64) with
 * everything that is wrong in it.
 */
export function readManifest(context: Context, flag?: string): Manifest {
  const file = manifestFile(context, flag);
  return parseManifest(readText(file), file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")))
      throw error;
    throw new Exit(
      EXIT.notFound,
      "no_manifest",
      `There is no manifest ${file}.`,
      "Name it with --manifest FILE, ALAI_DR_MANIFEST, or alai config set dr.manifest FILE.",
    );
  }
}
