import { createHash } from "node:crypto";
import { buildManifest } from "./build.ts";
import { YamlFile } from "./document.ts";
import type { Manifest } from "./model.ts";
import { ManifestError } from "./problems.ts";
import { checkRules } from "./rules.ts";
import { MANIFEST } from "./schema.ts";
import { walk } from "./walk.ts";

/**
 * A manifest from its text. The rules that compare keys are checked once each key alone is right: else one typo would be said
 * many times over. @param file how it is called in messages. Throws ManifestError with everything that is wrong.
 */
export function parseManifest(text: string, file: string): Manifest {
  const yaml = new YamlFile(text);
  const written = yaml.problems.length === 0 ? walk(yaml, MANIFEST) : undefined;
  if (written && yaml.problems.length === 0) checkRules(yaml, written);
  if (!written || yaml.problems.length > 0) throw new ManifestError(file, yaml.problems);
  return buildManifest(written, file, createHash("sha256").update(text).digest("hex"));
}
