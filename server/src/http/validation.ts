import type { Problem } from "@alai/core/wire/problem";
import type { FastifySchemaCompiler } from "fastify";
import type { TObject, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { coercer } from "./coerce.ts";

/** What a request got wrong: answered with 400 and every place that is wrong. */
export class InvalidRequest extends Error {
  readonly errors: NonNullable<Problem["errors"]>;

  constructor(part: string, errors: NonNullable<Problem["errors"]>) {
    super(
      `The ${part} is not what this route takes: ${errors.map(({ at, message }) => `${at || part} ${message}`).join("; ")}.`,
    );
    this.name = "InvalidRequest";
    this.errors = errors;
  }
}

const PARTS: Readonly<Record<string, string>> = {
  body: "body",
  querystring: "query",
  params: "path",
};
const optional = new WeakSet<TSchema>();

/** Marks the schema of a body that may be left out. */
export function optionalBody(schema: TSchema): void {
  optional.add(schema);
}

/** More would not help anyone to mend a request. */
const MOST_ERRORS = 5;

/**
 * Fastify's validator by TypeBox. A schema is compiled when the first request needs it: a server that has just started need
 * not compile what nobody asks for.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: ReturnType<typeof Compile> | undefined;
  const part = PARTS[httpPart ?? "body"] ?? "body";
  const coerce = part === "body" ? null : coercer(schema as TObject);
  return (value: unknown) => {
    if (value == null && optional.has(schema)) return { value: undefined };
    compiled ??= Compile(schema);
    const read = coerce ? coerce(value as Record<string, unknown>) : value;
    if (compiled.Check(read)) return { value: read };
    return { error: new InvalidRequest(part, errorsOf(compiled, read, schema)) };
  };
};

/** Given, so that Fastify does not load those it has by itself, ajv and fast-json-stringify: a tenth of the start. */
export const COMPILERS = {
  compilersFactory: { buildValidator: () => validatorCompiler as never, buildSerializer: () => () => JSON.stringify },
};

function errorsOf(
  compiled: ReturnType<typeof Compile>,
  value: unknown,
  schema: TSchema,
): NonNullable<Problem["errors"]> {
  const found = branchErrors(schema, value) ?? compiled.Errors(value);
  const plain = found.filter(({ keyword }) => keyword !== "boolean" && keyword !== "anyOf");
  return (plain.length > 0 ? plain : found).slice(0, MOST_ERRORS).map((error) => ({
    at: error.instancePath.replace(/^\//, "").replaceAll("/", "."),
    message: messageOf(error),
  }));
}

type SchemaError = ReturnType<ReturnType<typeof Compile>["Errors"]>[number];

function messageOf({ keyword, params, message }: SchemaError): string {
  const of = params as { additionalProperties?: string[]; allowedValues?: unknown[] };
  if (keyword === "additionalProperties") return `has unknown fields: ${of.additionalProperties?.join(", ")}`;
  if (keyword === "enum") return `must be one of ${of.allowedValues?.join(", ")}`;
  // The pattern itself tells nobody anything: what it allows is text with a visible character.
  if (keyword === "pattern") return "must be text with at least one visible character, and no NUL";
  return message;
}

const branches = new WeakMap<TSchema, ReturnType<typeof Compile>>();

/** Of alternatives that are told apart by `verb` or `table`, only the one that was meant is worth an error. */
function branchErrors(schema: TSchema, value: unknown): SchemaError[] | null {
  const { anyOf } = schema as { anyOf?: readonly TSchema[] };
  if (!anyOf || typeof value !== "object" || value === null) return null;
  const meant = anyOf.find((branch) => {
    const { verb } = (branch as { properties?: { verb?: { const?: unknown } } }).properties ?? {};
    return verb !== undefined && verb.const === (value as { verb?: unknown }).verb;
  });
  if (!meant) return null;
  const compiled = branches.get(meant) ?? Compile(meant);
  branches.set(meant, compiled);
  return compiled.Errors(value);
}
