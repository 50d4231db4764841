import fc from "fast-check";
import { invalid, type JsonSchema, valid } from "./arbitrary.ts";
import type { Operation } from "./document.ts";

/** A part of a request that the document says something about. */
export type Part = "body" | "query" | "path";

export interface Asked {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Requests to one operation; `broken` names the part that is not what the document allows. */
export function requests(operation: Operation, broken: "nothing" | Part): fc.Arbitrary<Asked> {
  const pick = (schema: JsonSchema, bad: boolean) => (bad ? invalid(schema) : valid(schema));
  const of = (place: string) => operation.parameters.filter((parameter) => parameter.in === place);
  const record = (place: string, bad: boolean) =>
    fc.record(Object.fromEntries(of(place).map(({ name, schema }) => [name, pick(schema, bad)])), {
      requiredKeys: bad
        ? of(place).map(({ name }) => name)
        : of(place)
            .filter(({ required }) => required)
            .map(({ name }) => name),
      noNullPrototype: true,
    });
  const known = {
    "if-match": fc.constantFrom("*", '"1"', '"2"', '"x"', 'W/"1"', "rubbish"),
    "alai-fence": fc.constantFrom("0", "1", "2"),
  };
  const headers = fc.record(
    {
      "alai-actor": fc.constantFrom("ann", "bob", "j%C3%BCrg"),
      "alai-session": fc.constantFrom("s1", "s2"),
      ...Object.fromEntries(
        of("header")
          .filter(({ name }) => name in known)
          .map(({ name }) => [name, known[name as keyof typeof known]]),
      ),
      ...(of("header").some(({ name }) => name === "idempotency-key") && {
        "idempotency-key": fc.constantFrom("k1", "k2", "k3", "!~"),
      }),
    },
    // A claim that names no session gets no further than that.
    {
      requiredKeys: of("header").some(({ name, required }) => name === "alai-session" && required)
        ? ["alai-session"]
        : [],
    },
  );
  return fc
    .record({
      path: record("path", broken === "path"),
      query: record("query", broken === "query"),
      headers,
      body: operation.body ? pick(operation.body, broken === "body") : fc.constant(undefined),
    })
    .map(({ path, query, headers: sent, body }) => ({
      path: operation.path.replaceAll(/\{(\w+)\}/g, (_, name) =>
        encodeURIComponent(text((path as Record<string, unknown>)[name])),
      ),
      query: queryOf(query as Record<string, unknown>),
      headers: sent as Record<string, string>,
      body,
    }));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, text(one)] as [string, string]),
  );
  // A lone surrogate cannot be sent in a URL at all.
  return new URLSearchParams(pairs.filter(([, value]) => value.isWellFormed())).toString();
}

/** True when the operation has this part at all. */
export function has(operation: Operation, part: Part): boolean {
  return part === "body" ? operation.body !== null : operation.parameters.some((parameter) => parameter.in === part);
}
