import { usage } from "../kit/errors.ts";
import type { GivenSecrets } from "./step.ts";

const SHAPE =
  'Give {"clientSecret": "…", "bitwarden": {"clientId", "clientSecret", "password"}, "breakGlass": {"bw://item": "…"}}; each may be left out.';

/** Reads the JSON of `--secrets-from-stdin`. Complaints name keys, never values. */
export function parseGiven(text: string): GivenSecrets {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw usage("Standard input is not JSON.", SHAPE);
  }
  const top = textsOf(json, "the document", ["clientSecret", "bitwarden", "breakGlass"], ["bitwarden", "breakGlass"]);
  const { clientSecret, bitwarden, breakGlass } = top as {
    clientSecret?: string;
    bitwarden?: unknown;
    breakGlass?: unknown;
  };
  return {
    ...(clientSecret !== undefined && { clientSecret }),
    ...(bitwarden !== undefined && { bitwarden: vaultKeys(bitwarden) }),
    ...(breakGlass !== undefined && { breakGlass: textsOf(breakGlass, "breakGlass") as Record<string, string> }),
  };
}

function vaultKeys(value: unknown): NonNullable<GivenSecrets["bitwarden"]> {
  const keys = ["clientId", "clientSecret", "password"] as const;
  const found = textsOf(value, "bitwarden", keys) as Partial<Record<(typeof keys)[number], string>>;
  const missing = keys.find((key) => found[key] === undefined);
  if (missing) throw usage(`bitwarden.${missing} is missing.`, SHAPE);
  return found as NonNullable<GivenSecrets["bitwarden"]>;
}

function textsOf(
  value: unknown,
  name: string,
  known?: readonly string[],
  objects: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage(`${name} is not an object.`, SHAPE);
  for (const [key, inner] of Object.entries(value)) {
    if (known && !known.includes(key)) throw usage(`A key in ${name} is not known.`, SHAPE);
    if (!objects.includes(key) && typeof inner !== "string")
      throw usage(`${known ? key : "A value"} in ${name} is not a text.`, SHAPE);
  }
  return value as Record<string, unknown>;
}
