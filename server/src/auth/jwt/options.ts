import type { KeySource } from "./discovery.ts";

/** Signatures that only the issuer can make. Those with a shared secret (HS…) and `none` are not here, and cannot be set. */
export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** One issuer whose tokens are let in, and which of them. */
export interface IssuerOptions extends KeySource {
  /** One of these must be in `aud`. */
  readonly audience: readonly string[];
  readonly algorithms: readonly Algorithm[];
  /** Header `typ`, in lower case. */
  readonly types: readonly string[];
  /** Clients (`azp`, `appid`, `client_id`) that may have asked for the token; null: any. */
  readonly clients: readonly string[] | null;
  /** Tenants (`tid`); null: any. */
  readonly tenants: readonly string[] | null;
  /** B2C policies (`tfp`, `acr`), in any case; null: any. */
  readonly policies: readonly string[] | null;
  /** The claim that the actor's name is made from. The issuer must never give one value to two subjects. */
  readonly actorClaim: string;
  /** Before the actor's name, so that two issuers' subjects never have the same one. Empty for one issuer. */
  readonly actorPrefix: string;
  /** Taken off the front of scopes: `api://alai/`. */
  readonly scopePrefix: string;
  /** Seconds that clocks may be apart. */
  readonly clockTolerance: number;
}

export const MAX_CLOCK_TOLERANCE = 60;

/** What is not said. */
export const ISSUER_DEFAULTS = {
  algorithms: ["RS256", "ES256"],
  types: ["at+jwt", "application/at+jwt", "jwt"],
  clients: null,
  tenants: null,
  policies: null,
  actorClaim: "sub",
  actorPrefix: "",
  scopePrefix: "",
  clockTolerance: 30,
} as const satisfies Partial<IssuerOptions>;

/** An issuer with everything that is not said filled in. */
export function issuerOptions(
  given: Pick<IssuerOptions, "issuer" | "audience"> & Partial<IssuerOptions>,
): IssuerOptions {
  return { ...ISSUER_DEFAULTS, ...given };
}
