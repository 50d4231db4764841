import { createHash } from "node:crypto";
import { buildManifest } from "./build.ts";
import { YamlFile } from "./document.ts";
import type { Manifest } from "./model.ts";
import { ManifestError } from "./problems.ts";
import { checkRules } from "./rules.ts";
import { MANIFEST, type Written } from "./schema.ts";
import { walk } from "./walk.ts";

const BEGIN =
  "Begin with the small one of docs/dr.md, or make it of a Litestream config: alai dr adopt litestream.yml.";

/** A manifest from its text. @param file how it is called in messages. Throws ManifestError with everything that is wrong. */
export function parseManifest(text: string, file: string): Manifest {
  const yaml = new YamlFile(text);
  if (yaml.isEmpty && yaml.problems.length === 0) yaml.add(null, "The manifest is empty.", BEGIN);
  // What is no YAML is read as something else than was meant: everything after would be said to be wrong too.
  const written = yaml.problems.length === 0 ? walk(yaml, MANIFEST) : undefined;
  if (written) checkRules(yaml, written);
  if (yaml.problems.length > 0) throw new ManifestError(file, yaml.problems);
  return buildManifest(written as Written, file, createHash("sha256").update(text).digest("hex"));
}
