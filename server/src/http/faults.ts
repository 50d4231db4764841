import type { Problem } from "@alai/core/wire/problem";
import type { TSchema } from "typebox";
import type { Compile } from "typebox/compile";

/** What is wrong in one place of a request: `at` is the field, `message` goes on from it: `is missing`. */
export type Fault = NonNullable<Problem["errors"]>[number];
/** As TypeBox says it: several for one field, and in a schema's words. */
export type SchemaError = ReturnType<ReturnType<typeof Compile>["Errors"]>[number];

/** More would not help anyone to mend a request. */
const MOST_FAULTS = 5;

/**
 * One plain sentence for each field that is wrong. @param value what was checked, for what only it can tell; in a query a name
 * that stands several times is a list.
 */
export function faultsOf(errors: readonly SchemaError[], value: unknown, inQuery = false): Fault[] {
  const plain = errors.filter(({ keyword }) => keyword !== "boolean" && keyword !== "anyOf");
  const byField = Map.groupBy((plain.length > 0 ? plain : errors).flatMap(onePerField), ({ at }) => at);
  return [...byField]
    .slice(0, MOST_FAULTS)
    .map(([at, found]) => ({ at: shown(at), message: wordsFor(found, valueAt(value, at), inQuery) }));
}

/** An error, and the JSON pointer of the field that it is about. */
interface Located {
  readonly at: string;
  readonly error: SchemaError;
}

/** A missing field is the field's own fault, not that of the object around it. */
function onePerField(error: SchemaError): Located[] {
  const { keyword, instancePath: at } = error;
  if (keyword !== "required") return [{ at, error }];
  return (error.params as { requiredProperties: string[] }).requiredProperties.map((name) => ({
    at: `${at}/${name}`,
    error,
  }));
}

/** Of alternatives (a number or null) those of the right type tell more; of one schema, its type does. */
function wordsFor(found: readonly Located[], value: unknown, inQuery: boolean): string {
  const types = found.filter(({ error }) => error.keyword === "type").map(({ error }) => error);
  const wrongType = new Set(types.map(({ schemaPath }) => schemaPath));
  const other = found.find(({ error }) => error.keyword !== "type" && !wrongType.has(error.schemaPath));
  if (other) return wordsOf(other.error, value);
  if (inQuery && Array.isArray(value)) return `is given ${value.length === 2 ? "twice" : `${value.length} times`}`;
  return `must be ${types.map((error) => TYPES[typeOf(error)] ?? typeOf(error)).join(" or ")}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a JSON object",
  null: "null",
};

function typeOf({ params }: SchemaError): string {
  return String((params as { type?: unknown }).type);
}

interface Params {
  readonly limit?: number;
  readonly pattern?: string;
  readonly additionalProperties?: readonly string[];
  readonly allowedValues?: readonly unknown[];
  readonly allowedValue?: unknown;
}

function wordsOf({ keyword, params, message }: SchemaError, value: unknown): string {
  const { limit, pattern, additionalProperties: strange = [], allowedValues, allowedValue } = params as Params;
  switch (keyword) {
    case "required":
      return "is missing";
    case "additionalProperties":
      return `has ${strange.length === 1 ? "an unknown field" : "unknown fields"}: ${strange.join(", ")}`;
    case "enum":
      return `must be one of ${allowedValues?.join(", ")}`;
    case "const":
      return `must be ${allowedValue}`;
    case "minimum":
      return `must be at least ${limit}`;
    case "maximum":
      return `must be at most ${limit}`;
    case "minLength":
    case "minItems":
      return limit === 1 ? "is empty" : `is too short: at least ${limit} are needed`;
    case "maxLength":
      return `is longer than ${limit} characters`;
    case "maxItems":
      return `has more than ${limit} values`;
    case "pattern":
      return unmatched(pattern ?? "", value);
    default:
      return message;
  }
}

/** The pattern itself tells nobody anything. */
function unmatched(pattern: string, value: unknown): string {
  const words = /^\^(-\?)?\(([a-z|]+)\)\$$/.exec(pattern)?.[2];
  if (words !== undefined) return `must be one of ${words.replaceAll("|", ", ")}, each also with - in front`;
  if (pattern === SHA256) return "must be 64 hexadecimal digits in lower case";
  return String(value).includes("\0") ? "has a NUL character in it" : "has no visible character";
}

const SHA256 = "^[0-9a-f]{64}$";

/** Of alternatives, only the one that was meant is worth an error. @returns null where the schema has none at its top. */
export function faultsOfChoice(
  schema: TSchema,
  value: unknown,
  errorsOf: (branch: TSchema) => readonly SchemaError[],
): Fault[] | null {
  const { anyOf } = schema as { anyOf?: readonly Branch[] };
  if (!anyOf || typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const verbs = anyOf.map((branch) => branch.properties?.verb?.const);
  if (verbs.every((verb) => typeof verb === "string")) {
    const { verb } = value as { verb?: unknown };
    const meant = anyOf[verbs.indexOf(verb as string)];
    if (meant) return faultsOf(errorsOf(meant), value);
    return [{ at: "verb", message: verb === undefined ? "is missing" : `must be one of ${verbs.join(", ")}` }];
  }
  const meant = anyOf.filter(({ properties = {} }) =>
    Object.keys(value).some((name) => Object.hasOwn(properties, name)),
  );
  const [first] = meant;
  if (first && meant.length === 1) return faultsOf(errorsOf(first), value);
  const names = anyOf.flatMap(({ properties = {} }) => Object.keys(properties));
  return [{ at: "", message: `must have exactly one of ${names.join(", ")}` }];
}

type Branch = TSchema & { readonly properties?: Readonly<Record<string, { readonly const?: unknown }>> };

/** `/tags/0` as `tags.0`. */
function shown(at: string): string {
  return at.replace(/^\//, "").replaceAll("/", ".");
}

function valueAt(value: unknown, at: string): unknown {
  const names = at.split("/").slice(1);
  return names.reduce((of, name) => (of as Record<string, unknown> | null | undefined)?.[unescaped(name)], value);
}

/** Names in a JSON pointer. */
function unescaped(name: string): string {
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}
