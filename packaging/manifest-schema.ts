import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifestJsonSchema } from "../src/dr/manifest/json-schema.ts";

/**
 * The JSON schema of dr.manifest.yaml for editors: `node packaging/manifest-schema.ts`. test/dr/manifest/schema.test.ts fails when
 * it is stale.
 */

export const MANIFEST_SCHEMA = join(import.meta.dirname, "..", "docs", "examples", "alai", "dr.manifest.schema.json");

export function manifestSchemaText(): string {
  return `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(MANIFEST_SCHEMA, manifestSchemaText());
