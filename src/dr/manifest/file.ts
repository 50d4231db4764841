import { resolve } from "node:path";
import type { Context } from "../../kit/context.ts";

const DEFAULT = "dr.manifest.yaml";

/** Where the manifest is: `--manifest` > `ALAI_DR_MANIFEST` > the setting `dr.manifest` > ./dr.manifest.yaml. Absolute. */
export function manifestFile(context: Context, flag?: string): string {
  const setting = context.settings().get("dr.manifest");
  const named = flag ?? (context.env.ALAI_DR_MANIFEST || (typeof setting === "string" ? setting : DEFAULT));
  return resolve(context.cwd, named);
}
