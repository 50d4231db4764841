import { MANIFEST } from "./schema.ts";
import type { DurationShape, Fields, Shape, TextShape, VariantShape } from "./shape.ts";

type Json = Readonly<Record<string, unknown>>;

/** `src/kit/values.ts` reads the same. */
const DURATION = "\\d+(\\.\\d+)?(ms|s|m|h|d|w)";

/** The manifest's JSON schema (draft 7, which editors know), made from what the reader checks by. */
export function manifestJsonSchema(): Json {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "dr.manifest.yaml of alai",
    ...schemaOf(MANIFEST),
  };
}

function schemaOf(shape: Shape): Json {
  const { doc: description } = shape;
  switch (shape.kind) {
    case "text":
      return { description, ...texts(shape) };
    case "number":
      return { description, type: "integer", minimum: shape.least, maximum: shape.most };
    case "flag":
      return { description, type: "boolean" };
    case "duration":
      return { description, type: "string", pattern: durations(shape) };
    case "choice":
      return { description, enum: shape.words };
    case "list":
      return { description, type: "array", items: schemaOf(shape.item), minItems: shape.least };
    case "scalars":
      return { description, type: "object", additionalProperties: { type: ["string", "number", "boolean"] } };
    case "object":
      return { description, ...objects(shape.fields) };
    case "variant":
      return { description, oneOf: variants(shape) };
  }
}

/** A name such as 2 is a number to an editor, and a text to the reader: both are taken where the pattern takes digits. */
function texts({ pattern }: TextShape): Json {
  return { type: pattern.test("2") ? ["string", "number"] : "string", pattern: pattern.source };
}

function durations({ orNone, form }: DurationShape): string {
  if (form) return form.source;
  return orNone ? `^(${DURATION}|none)$` : `^${DURATION}$`;
}

function objects(fields: Fields, tag: Json = {}): Json {
  const names = Object.keys(fields).filter((name) => fields[name]?.required);
  return {
    type: "object",
    additionalProperties: false,
    properties: {
      ...tag,
      ...Object.fromEntries(Object.entries(fields).map(([name, { shape }]) => [name, schemaOf(shape)])),
    },
    required: [...Object.keys(tag), ...names],
  };
}

function variants({ tag, variants: all }: VariantShape<string, Readonly<Record<string, Fields>>>): Json[] {
  return Object.entries(all).map(([word, fields]) => objects(fields, { [tag]: { const: word } }));
}
