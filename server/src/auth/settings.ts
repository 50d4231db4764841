import { badInput } from "@alai/core";
import { ALGORITHMS, type Algorithm, type IssuerOptions, issuerOptions } from "./jwt/options.ts";
import { requireSafeUrl } from "./jwt/remote-json.ts";
import { RATE_DEFAULTS, type RateLimits } from "./rate-limit.ts";

/** The environment, as it is given to the server. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What the environment says about who may. */
export interface AuthSettings {
  readonly issuers: readonly IssuerOptions[];
  /** Sign-in is needed on loopback too, and the server starts although there is no token yet. */
  readonly required: boolean;
  readonly rate: RateLimits;
}

/** Names behind `ALAI_AUTH_`, each once more with `_2` to `_9` for further issuers. */
const ISSUER_NAMES = [
  "ISSUER",
  "AUDIENCE",
  "JWKS_URI",
  "DISCOVERY_URL",
  "ALGORITHMS",
  "TYPES",
  "CLIENTS",
  "TENANTS",
  "POLICIES",
  "ACTOR_CLAIM",
  "ACTOR_PREFIX",
  "SCOPE_PREFIX",
  "CLOCK_TOLERANCE",
] as const;
const OTHER_NAMES = ["ALAI_AUTH_REQUIRED", "ALAI_AUTH_FAILURES_PER_MINUTE"];
const SUFFIXES = ["", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9"] as const;

/** Endpoints where anyone's tenant may sign in, and whose tokens name another issuer each. */
const EVERY_TENANT = /^https:\/\/login\.microsoftonline\.(com|us)\/(common|organizations|consumers)(\/|$)/i;

/** Reads every setting there is. Throws BadInput for a value that is none, and for a name that is none: a typing error in a list of who may must not let everyone in. */
export function authSettings(env: Env): AuthSettings {
  refuseUnknown(env);
  return {
    issuers: SUFFIXES.flatMap((suffix) => issuerOf(env, suffix) ?? []),
    required: flag(env, "ALAI_AUTH_REQUIRED"),
    rate: {
      perSecond: number(env, "ALAI_RATE_LIMIT", RATE_DEFAULTS.perSecond),
      burst: number(env, "ALAI_RATE_BURST", number(env, "ALAI_RATE_LIMIT", RATE_DEFAULTS.burst)),
      perNetwork: number(env, "ALAI_RATE_NETWORK", RATE_DEFAULTS.perNetwork),
      failuresPerMinute: number(env, "ALAI_AUTH_FAILURES_PER_MINUTE", RATE_DEFAULTS.failuresPerMinute),
    },
  };
}

function refuseUnknown(env: Env): void {
  const known = new Set([
    ...OTHER_NAMES,
    ...SUFFIXES.flatMap((suffix) => ISSUER_NAMES.map((name) => `ALAI_AUTH_${name}${suffix}`)),
  ]);
  const strange = Object.keys(env).find((name) => name.startsWith("ALAI_AUTH_") && env[name] && !known.has(name));
  if (strange === undefined) return;
  throw badInput(
    `${strange} is no setting.`,
    `Settings are ${[...ISSUER_NAMES.map((name) => `ALAI_AUTH_${name}`), ...OTHER_NAMES].join(", ")}.`,
  );
}

function issuerOf(env: Env, suffix: string): IssuerOptions | null {
  const get = (name: (typeof ISSUER_NAMES)[number]) => env[`ALAI_AUTH_${name}${suffix}`] || undefined;
  const name = (of: string) => `ALAI_AUTH_${of}${suffix}`;
  const issuer = get("ISSUER");
  if (issuer === undefined) {
    const alone = ISSUER_NAMES.find((other) => get(other) !== undefined);
    if (alone !== undefined)
      throw badInput(
        `${name(alone)} is set without ${name("ISSUER")}.`,
        `Set ${name("ISSUER")} to the issuer's address, or take ${name(alone)} away.`,
      );
    return null;
  }
  requireSafeUrl(issuer, name("ISSUER"));
  if (EVERY_TENANT.test(issuer))
    throw badInput(
      `${name("ISSUER")} is the address of every tenant.`,
      "Name your own: https://login.microsoftonline.com/TENANT-ID/v2.0",
    );
  const audience = list(get("AUDIENCE"), name("AUDIENCE"));
  if (!audience)
    throw badInput(`${name("AUDIENCE")} is not set.`, "Set it to what your issuer puts into `aud` of tokens for alai.");
  for (const uri of ["JWKS_URI", "DISCOVERY_URL"] as const) if (get(uri)) requireSafeUrl(get(uri) ?? "", name(uri));
  return issuerOptions({
    issuer,
    audience,
    ...given({
      jwksUri: get("JWKS_URI"),
      discoveryUrl: get("DISCOVERY_URL"),
      algorithms: algorithms(get("ALGORITHMS"), name("ALGORITHMS")),
      types: list(get("TYPES"), name("TYPES"))?.map((type) => type.toLowerCase()),
      clients: list(get("CLIENTS"), name("CLIENTS")),
      tenants: list(get("TENANTS"), name("TENANTS")),
      policies: list(get("POLICIES"), name("POLICIES")),
      actorClaim: get("ACTOR_CLAIM"),
      actorPrefix: actorPrefix(get("ACTOR_PREFIX"), suffix, name("ACTOR_PREFIX")),
      scopePrefix: get("SCOPE_PREFIX"),
      clockTolerance: get("CLOCK_TOLERANCE") === undefined ? undefined : number(env, name("CLOCK_TOLERANCE"), 0),
    }),
  });
}

/** Without what was not said, so that the defaults stay. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** A second issuer's subjects must not have the names of the first one's: without a prefix that is said, it is the number. */
function actorPrefix(said: string | undefined, suffix: string, name: string): string {
  if (said === undefined) return suffix === "" ? "" : `i${suffix.slice(1)}`;
  if (/^[A-Za-z0-9._-]{1,30}$/.test(said)) return said;
  throw badInput(
    `${name} is not a prefix: 1 to 30 letters, digits, dots and dashes.`,
    `Set it for example to partner, or leave it out: then it is ${suffix === "" ? "empty" : `i${suffix.slice(1)}`}.`,
  );
}

/** Words between commas or spaces. Set but empty of words is an error: a list that is meant to keep people out. */
function list(text: string | undefined, name: string): string[] | undefined {
  if (text === undefined) return undefined;
  const words = text.split(/[\s,]+/).filter(Boolean);
  if (words.length === 0) throw badInput(`${name} has no words in it.`, "Leave it out, or say who may.");
  return words;
}

function algorithms(text: string | undefined, name: string): Algorithm[] | undefined {
  return list(text, name)?.map((word) => {
    const found = ALGORITHMS.find((known) => known === word);
    if (found) return found;
    throw badInput(`${name}: ${word} is not allowed for tokens.`, `Allowed are: ${ALGORITHMS.join(", ")}.`);
  });
}

function number(env: Env, name: string, fallback: number): number {
  const text = env[name];
  if (!text) return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badInput(`${name} is not a whole number.`, "Type a number; 0 is no limit.");
}

function flag(env: Env, name: string): boolean {
  const text = env[name];
  if (!text || text === "0" || text === "false") return false;
  if (text === "1" || text === "true") return true;
  throw badInput(`${name} is neither 1 nor 0.`, "Set it to 1, or leave it out.");
}
