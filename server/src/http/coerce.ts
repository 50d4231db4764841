import type { TObject, TSchema } from "typebox";

/**
 * Reads the texts of a path or a query as what their schema says, in place: whole numbers, true/false, arrays of names that may
 * stand several times. Strict: `1e3`, `0x10`, ` 1` and an empty text stay texts and are refused by the schema. Bodies are never
 * coerced.
 */
export function coercer(schema: TObject): (values: Record<string, unknown>) => Record<string, unknown> {
  const readers = new Map(Object.entries(schema.properties).map(([name, property]) => [name, readerOf(property)]));
  return (values) => {
    for (const name of Object.keys(values)) {
      const read = readers.get(name);
      if (read) values[name] = read(values[name]);
    }
    return values;
  };
}

type Reader = (value: unknown) => unknown;

function readerOf(schema: TSchema): Reader {
  const { type, items, enum: allowed } = schema as { type?: string; items?: TSchema; enum?: readonly unknown[] };
  if (type === "array" && items) {
    const read = readerOf(items);
    return (value) => (Array.isArray(value) ? value : [value]).map(read);
  }
  if (type === "integer" || allowed?.every((one) => typeof one === "number")) return readInteger;
  if (type === "boolean") return (value) => (value === "true" ? true : value === "false" ? false : value);
  return (value) => value;
}

function readInteger(value: unknown): unknown {
  return typeof value === "string" && /^-?(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
}
