/** What alai must know of a company to sign in and set a machine up. Nothing in it is secret. */
export interface Profile {
  readonly name: string;
  readonly issuer: IssuerProfile;
  /** The companion server's address. */
  readonly mc: { readonly url: string; readonly essential?: boolean } | null;
  readonly secrets: SecretsProfile | null;
  /** The company's git repository that `~/.claude` is cloned from. */
  readonly claude: { readonly repository: string; readonly branch: string | null } | null;
  /** What `alai start` looks at. */
  readonly services: readonly ServiceProfile[];
}

export const ISSUER_KINDS = ["entra-external", "b2c", "entra", "generic"] as const;
export type IssuerKind = (typeof ISSUER_KINDS)[number];

/** Sources: facts/login-secrets-packaging.md, sections 1.2 and (b) 1–2. */
export interface IssuerProfile {
  readonly kind: IssuerKind;
  /** The whole address of the metadata document. */
  readonly discoveryUrl: string;
  /** What its `issuer` must be, byte for byte. B2C's is another than the document's address says, with a slash at the end. */
  readonly issuer: string;
  readonly clientId: string;
  /** With the API's own scope: without one, Microsoft's issuers give no access token. */
  readonly scopes: readonly string[];
  /** RFC 8707 resource, where the issuer wants one. */
  readonly audience: string | null;
  readonly redirectHost: "localhost" | "127.0.0.1";
  /** Empty: any free port. B2C compares ports exactly. */
  readonly redirectPorts: readonly number[];
  readonly redirectPath: string;
  /** The one tenant that may sign in, where the address serves them all. */
  readonly allowedTenants: readonly string[];
  /** Hosts of endpoints beside the issuer's own. */
  readonly endpointHosts: readonly string[];
}

export interface SecretsProfile {
  /** `us`, `eu`, or the https address of a server of one's own. */
  readonly server: string;
  /** For `alai start`. */
  readonly essential?: boolean;
  /** Items that a person's vault must have. */
  readonly expected: readonly ExpectedItem[];
}

export interface ExpectedItem {
  /** What it is for, in words: "GitHub token". */
  readonly what: string;
  /** `bw://item/field`. */
  readonly reference: string;
}

export interface ServiceProfile {
  readonly name: string;
  readonly kind: "hive" | "agents" | "host" | "model" | "http";
  /** Null: it does not exist yet. */
  readonly url: string | null;
  readonly essential: boolean;
}
