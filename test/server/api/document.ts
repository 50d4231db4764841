import Schema from "typebox/schema";
import type { JsonSchema } from "./arbitrary.ts";

/** One operation of `/openapi.json`, as the fuzzer calls it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly body: JsonSchema | null;
  readonly bodyRequired: boolean;
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }
    >
  >;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: Operation["parameters"];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  };
  readonly responses: Operation["responses"];
}

/** Every operation of the document, so that none is left out by hand. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => operationOf(path, method, raw)),
  );
}

export function operationOf(path: string, method: string, raw: RawOperation): Operation {
  return {
    id: raw.operationId,
    method: method.toUpperCase(),
    path,
    parameters: raw.parameters ?? [],
    body: raw.requestBody?.content["application/json"]?.schema ?? null,
    bodyRequired: raw.requestBody?.required ?? false,
    responses: raw.responses,
  };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

const compiled = new WeakMap<object, ReturnType<typeof Schema.Compile>>();

/** What is wrong with an answer, by the document; null when nothing is. */
export function complaint(operation: Operation, answer: Answer): string | null {
  const documented = operation.responses[String(answer.status)];
  const said = `${answer.status} ${JSON.stringify(answer.body)?.slice(0, 600)}`;
  // Also where it is documented: a server that always refuses would hold to its document.
  if (answer.status >= 500) return `the server failed: ${said}`;
  if (!documented) return `status is not documented: ${said}`;
  const type = answer.type.split(";")[0] ?? "";
  const schema = documented.content?.[type]?.schema;
  if (!schema) return `content type ${type} is not documented: ${said}`;
  const check = compiled.get(schema) ?? Schema.Compile(schema as never);
  compiled.set(schema, check);
  if (!check.Check(answer.body))
    return `body is not what the document says: ${JSON.stringify(check.Errors(answer.body)).slice(0, 600)} in ${said}`;
  const { code, hint } = (answer.body ?? {}) as { code?: string; hint?: string };
  if (answer.status >= 400 && !hint) return `there is no hint: ${said}`;
  if (answer.status >= 400 && !documented.description.includes(`${code}`))
    return `code ${code} is not documented for ${answer.status}: ${said}`;
  return null;
}
