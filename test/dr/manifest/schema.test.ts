import { readFileSync } from "node:fs";
import { join } from "node:path";
import Schema from "typebox/schema";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { manifestJsonSchema } from "../../../src/dr/manifest/json-schema.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import { ManifestError } from "../../../src/dr/manifest/problems.ts";

const EXAMPLE = readFileSync(join(import.meta.dirname, "../../../docs/examples/alai/dr.manifest.yaml"), "utf8");
const schema = Schema.Compile(manifestJsonSchema());

function readerTakes(text: string): boolean {
  try {
    parseManifest(text, "m.yaml");
    return true;
  } catch (error) {
    if (error instanceof ManifestError) return false;
    throw error;
  }
}

test("an editor takes the real manifest", () => {
  expect(schema.Check(parse(EXAMPLE))).toBe(true);
});

test.each([
  ["an unknown key", "    role: primary", "    role: primary\n    rank: 1"],
  ["a missing key", "    user: makinja\n", ""],
  ["a bad duration", "retention: 720h", "retention: 720"],
  ["a word that is none of the choices", "role: primary", "role: main"],
  ["a kind of storage that is not known", "type: azure", "type: gcs"],
  ["a key of another storage", "  account: alaibackups0ebb\n", "  bucket: alaibackups0ebb\n"],
  ["a number out of its range", "misses: 2", "misses: 0"],
  ["a watch that never rests", "  interval: 10s\n  misses", "  interval: 4s\n  misses"],
  ["a watch that sleeps", "  interval: 10s\n  misses", "  interval: 2m\n  misses"],
  ["a secret in place of its name", "secret: SLACK_BOT_TOKEN", "secret: xoxb-1-2"],
  ["a time of day that there is not", 'prove: "03:00"', 'prove: "3:00"'],
  ["a text where a list belongs", "addresses: [10.0.0.2, 100.104.164.86, basicass-mac-mini]", "addresses: 10.0.0.2"],
])("editor and reader both refuse %s", (_, from, to) => {
  expect(EXAMPLE.split(from).length).toBeGreaterThan(1);
  const text = EXAMPLE.replace(from, () => to);
  expect([schema.Check(parse(text)), readerTakes(text)]).toEqual([false, false]);
});
