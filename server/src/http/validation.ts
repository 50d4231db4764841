import type { FastifySchemaCompiler } from "fastify";
import type { TObject, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { coercer } from "./coerce.ts";
import { type Fault, faultsOf, faultsOfChoice } from "./faults.ts";

/** What a request got wrong: answered with 400 and every place that is wrong. */
export class InvalidRequest extends Error {
  readonly errors: readonly Fault[];

  constructor(part: string, errors: readonly Fault[]) {
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

/**
 * Fastify's validator by TypeBox. A schema is compiled when the first request needs it: a server that has just started need
 * not compile what nobody asks for.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: Compiled | undefined;
  const part = PARTS[httpPart ?? "body"] ?? "body";
  const coerce = part === "body" ? null : coercer(schema as TObject);
  return (value: unknown) => {
    if (value == null && optional.has(schema)) return { value: undefined };
    compiled ??= Compile(schema);
    const read = coerce ? coerce(value as Record<string, unknown>) : value;
    if (compiled.Check(read)) return { value: read };
    return { error: new InvalidRequest(part, faultsIn(compiled, read, schema, part === "query")) };
  };
};

/** Given, so that Fastify does not load those it has by itself, ajv and fast-json-stringify: a tenth of the start. */
export const COMPILERS = {
  compilersFactory: { buildValidator: () => validatorCompiler as never, buildSerializer: () => () => JSON.stringify },
};

type Compiled = ReturnType<typeof Compile>;

function faultsIn(compiled: Compiled, value: unknown, schema: TSchema, inQuery: boolean): Fault[] {
  // Fastify says null where there is no body at all.
  if (value == null) return [{ at: "", message: "is missing" }];
  return (
    faultsOfChoice(schema, value, (branch) => branchOf(branch).Errors(value)) ??
    faultsOf(compiled.Errors(value), value, inQuery)
  );
}

const branches = new WeakMap<TSchema, Compiled>();

function branchOf(schema: TSchema): Compiled {
  const compiled = branches.get(schema) ?? Compile(schema);
  branches.set(schema, compiled);
  return compiled;
}
