import { statSync } from "node:fs";
import type { Manifest } from "../dr/manifest/model.ts";
import { manifestFile, readManifest } from "../dr/manifest/read.ts";
import type { Context } from "../kit/context.ts";

/** Reads the manifest anew only when its file has changed. @param flag the value of `--manifest`. Throws as `readManifest`. */
export function manifestReader(context: Context, flag: string | undefined): () => Manifest {
  const file = manifestFile(context, flag);
  let kept: { readonly stamp: string; readonly manifest: Manifest } | undefined;
  return () => {
    const found = statSync(file, { throwIfNoEntry: false });
    const stamp = found ? `${found.mtimeMs} ${found.size} ${found.ino}` : "";
    if (kept?.stamp !== stamp) kept = { stamp, manifest: readManifest(context, flag) };
    return kept.manifest;
  };
}
