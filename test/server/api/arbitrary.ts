import fc from "fast-check";

/** The parts of JSON Schema that the API's document uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** Long texts and lists cost time and find little. */
const MOST = 6;
const LONGEST = 60;

/** Values that the schema allows. Throws for a schema it does not know: a fuzzer that skips is none. */
export function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valid));
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return integers(schema);
    case "string":
      return texts(schema);
    case "array":
      return fc.array(valid(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? MOST, MOST),
      });
    case "object":
      return objects(schema);
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

/** Small numbers mostly: these are the tasks and events that are there. */
function integers({ minimum = -(2 ** 31), maximum = 2 ** 31 }: JsonSchema): fc.Arbitrary<number> {
  const near = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 25) });
  const edges = fc.constantFrom(minimum, maximum);
  const any = fc.maxSafeInteger().map((n) => minimum + (Math.abs(n) % (maximum - minimum + 1)));
  return fc.oneof({ weight: 6, arbitrary: near }, { weight: 1, arbitrary: edges }, { weight: 1, arbitrary: any });
}

function texts(schema: JsonSchema): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = LONGEST, pattern } = schema;
  const any = fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, LONGEST) });
  if (pattern === undefined) return any;
  const regex = new RegExp(pattern, "u");
  // Texts of one alternative each (sort keys, digests) would never be met by chance.
  if (!regex.test("a")) return fc.stringMatching(regex);
  return fc
    .oneof(any, fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, LONGEST) }))
    .filter((text) => regex.test(text));
}

function objects({ properties = {}, required = [], patternProperties }: JsonSchema): fc.Arbitrary<unknown> {
  if (patternProperties)
    return fc.dictionary(fc.string({ maxLength: 8 }), valid(Object.values(patternProperties)[0] ?? {}), { maxKeys: 3 });
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valid(schema)]));
  return fc.record(fields, { requiredKeys: [...required], noNullPrototype: true });
}

/** Values that the schema does not allow: another type, a field too many, one missing, one that is itself not allowed. */
export function invalid(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.constantFrom<unknown>(true, 7.5, { strange: 1 }, [[]], "\u0000");
  switch (schema.type) {
    case "integer":
    case "number":
      return fc.constantFrom<unknown>("1", 1.5, -1, 2 ** 60, null, true, [], {});
    case "string":
      return fc.constantFrom<unknown>(1, null, [], {}, true, ...(schema.pattern ? ["a\u0000b"] : []));
    case "boolean":
      return fc.constantFrom<unknown>("true", 1, null);
    case "array":
      return fc.oneof(
        fc.constantFrom<unknown>({}, "x", 1, null),
        invalid(schema.items ?? {}).map((item) => [item]),
      );
    case "object":
      return brokenObjects(schema);
    default:
      return fc.constantFrom<unknown>({ strange: 1 }, [[]]);
  }
}

function brokenObjects(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema;
  const whole = valid(schema) as fc.Arbitrary<Record<string, unknown>>;
  const others = fc.constantFrom<unknown>([], "x", 1, true);
  const more = whole.map((value) => ({ ...value, unknown_field: 1 }));
  const less = required.map((name) =>
    whole.map((value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))),
  );
  const wrong = Object.entries(properties).map(([name, inner]) =>
    fc.tuple(whole, invalid(inner)).map(([value, bad]) => ({ ...value, [name]: bad })),
  );
  return fc.oneof(others, more, ...less, ...wrong);
}
