import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { manifestFile } from "./file.ts";
import type { Manifest } from "./model.ts";
import { parseManifest } from "./parse.ts";
import { readYamlText } from "./yaml-text.ts";

export { manifestFile };

/**
 * The manifest, checked. @param flag the value of `--manifest`. Throws Exit 3 when there is none, Exit 64 for a folder or what is
 * far too large, ManifestError (64) with everything that is wrong in it.
 */
export function readManifest(context: Context, flag?: string): Manifest {
  const file = manifestFile(context, flag);
  const text = readYamlText(file, { noun: "manifest", name: "dr.manifest.yaml", missing: () => noManifest(file) });
  return parseManifest(text, file);
}

function noManifest(file: string): Exit {
  return new Exit(
    EXIT.notFound,
    "no_manifest",
    `There is no manifest ${file}.`,
    "Name it with --manifest FILE, ALAI_DR_MANIFEST, or alai config set dr.manifest FILE.",
  );
}
