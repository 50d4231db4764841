import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { Manifest } from "./model.ts";
import { parseManifest } from "./parse.ts";

const DEFAULT = "dr.manifest.yaml";

/** Where the manifest is: `--manifest` > `ALAI_DR_MANIFEST` > the setting `dr.manifest` > ./dr.manifest.yaml. Absolute. */
export function manifestFile(context: Context, flag?: string): string {
  const setting = context.settings().get("dr.manifest");
  const named = flag ?? (context.env.ALAI_DR_MANIFEST || (typeof setting === "string" ? setting : DEFAULT));
  return resolve(context.cwd, named);
}

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
