import Type from "typebox";
import { MAX_TTL, MIN_TTL } from "../lease.ts";

/** Small schemas that the others are made of. What they allow is what the CLI allows. */

/** No NUL: Postgres cannot keep one. (Halves of surrogate pairs are refused where bodies are read.) */
const CHARACTER = "[^\\u0000]";
/** White space, then something to see, then anything: said so that a match never has to go back over a long text. */
const INK = `^\\s*[^\\s\\u0000]${CHARACTER}*$`;

export const Id = Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: "A task's number." });
export const Seq = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "A number of the journal.",
});
export const Fence = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "Rises by one with every new acquisition.",
});
export const Time = Type.Integer({
  minimum: 0,
  maximum: 253_402_300_799_999,
  description: "Milliseconds since 1970-01-01T00:00:00Z.",
});
export const Ttl = Type.Integer({
  minimum: MIN_TTL,
  maximum: MAX_TTL,
  description: "Length of a lease in milliseconds: 1 s to 24 h.",
});

/** Text with at least one visible character. */
export function Text(maxLength: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern: INK,
    ...(description && { description }),
  });
}

/** Any text. */
export function LongText(maxLength: number, description?: string) {
  return Type.String({ maxLength, pattern: `^${CHARACTER}*$`, ...(description && { description }) });
}

export function Nullable<T extends Type.TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** An object that takes no other field. */
export function Closed<T extends Type.TProperties>(properties: T, description?: string) {
  return Type.Object(properties, { additionalProperties: false, ...(description && { description }) });
}

export function OneOf<const T extends string[]>(values: readonly [...T], description?: string) {
  return Type.Enum([...values] as [...T], description ? { description } : {});
}
