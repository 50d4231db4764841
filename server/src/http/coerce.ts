import type { TObject, TSchema } from "typebox";

/**
 * Reads the texts of a path or a query as what their schema says: whole numbers, true/false, arrays of names that may stand
 * several times. Strict: `1e3`, `0x10`, ` 1` and an empty text stay texts and are refused by the schema. Bodies are never coerced.
 */
export function coerce(schema: TObject, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
      return [name, property ? read(property, value) : value];
    }),
  );
}

function read(schema: TSchema, value: unknown): unknown {
  const { type, items, enum: allowed } = schema as { type?: string; items?: TSchema; enum?: readonly unknown[] };
  if (type === "array" && items) return (Array.isArray(value) ? value : [value]).map((one) => read(items, one));
  if (type === "integer" || allowed?.every((one) => typeof one === "number")) return readInteger(value);
  if (type === "boolean") return value === "true" ? true : value === "false" ? false : value;
  return value;
}

function readInteger(value: unknown): unknown {
  return typeof value === "string" && /^-?(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
}
