import type { Context } from "../kit/context.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { issuerFetch, NoAnswer } from "./fetch.ts";
import { requireSafe } from "./issuer-words.ts";
import type { IssuerKind, IssuerProfile } from "./profile.ts";

/** The issuer's own description (RFC 8414), as far as it is used here. */
export interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly device_authorization_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly end_session_endpoint?: string;
  readonly jwks_uri?: string;
  readonly [more: string]: unknown;
}

export const WELL_KNOWN = "/.well-known/openid-configuration";
/** In place of a tenant's id, in the issuer of Microsoft's endpoints for many tenants. */
export const ANY_TENANT = "{tenantid}";

/** Reads the metadata document. Throws Exit 69 when the issuer does not answer, and a usage error when what it answers is none. */
export async function fetchMetadata(context: Context, discoveryUrl: string): Promise<Metadata> {
  const url = requireSafe(discoveryUrl, "The issuer's address");
  const answer = await issuerFetch(context)(url.href, { headers: { accept: "application/json" } }).catch((error) => {
    throw unreachable(url, error);
  });
  const text = await answer.text();
  const metadata = answer.ok ? parsed(text) : null;
  if (metadata) return metadata;
  if (isTrouble(answer.status)) throw troubled(url, answer.status);
  throw usage(
    `${url.href} is not an issuer's metadata (${answer.status}).`,
    `Type the issuer's address; its metadata is at ISSUER${WELL_KNOWN}.`,
  );
}

/** Exit 69: the issuer does not answer. Whatever else went wrong is given back as it is. */
export function unreachable({ host }: URL, error: unknown): unknown {
  if (!(error instanceof NoAnswer)) return error;
  const why = truncate(oneLine(error.message), 120);
  const [what, hint] =
    error.kind === "tls"
      ? ["cannot be trusted", "Behind a company's proxy, name its authority: NODE_EXTRA_CA_CERTS=FILE."]
      : ["does not answer", "Check the network and the proxy (HTTPS_PROXY), and try again."];
  return new Exit(EXIT.unavailable, "issuer_unavailable", `The issuer ${host} ${what}${why && `: ${why}`}.`, hint);
}

/** The issuer is there, and cannot serve just now. */
export function isTrouble(status: number): boolean {
  return status >= 500 || status === 429;
}

/** Exit 69 for that. */
export function troubled({ host }: URL, status: number | string): Exit {
  return new Exit(
    EXIT.unavailable,
    "issuer_unavailable",
    `The issuer ${host} has trouble (${status}).`,
    "Try again in a minute.",
  );
}

function parsed(text: string): Metadata | null {
  try {
    const value = JSON.parse(text) as Metadata;
    return typeof value === "object" && value !== null && typeof value.issuer === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * What a profile's metadata must be, each time it is read: the issuer byte for byte, and every endpoint at a host that is known.
 * openid-client's own comparison makes exceptions for Microsoft, and none at all for a full discovery address.
 */
export function requireExpected(metadata: Metadata, profile: IssuerProfile): void {
  if (metadata.issuer !== profile.issuer)
    throw new Exit(
      EXIT.signIn,
      "foreign_issuer",
      `${profile.discoveryUrl} says that it is ${truncate(oneLine(metadata.issuer), 100)}, and ${profile.issuer} was expected.`,
      "If that is right, type alai login with --issuer again; if not, somebody else answers there.",
    );
  requireOneTenant(profile);
  const hosts = new Set([new URL(profile.discoveryUrl).host, ...profile.endpointHosts]);
  if (!metadata.issuer.includes(ANY_TENANT)) hosts.add(new URL(metadata.issuer).host);
  for (const name of [
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "jwks_uri",
  ] as const) {
    const endpoint = metadata[name];
    if (endpoint === undefined) continue;
    const { host } = requireSafe(String(endpoint), `The issuer's ${name}`);
    if (!hosts.has(host))
      throw new Exit(
        EXIT.signIn,
        "foreign_endpoint",
        `The issuer's ${name} is at another host: ${truncate(oneLine(host), 80)}.`,
        `If that is right, add it to endpointHosts in the profile.`,
      );
  }
}

/** Throws when anyone who has an account anywhere could sign in, and when the profile names several tenants. */
export function requireOneTenant({ issuer, allowedTenants }: IssuerProfile): void {
  if (allowedTenants.length > 1)
    throw usage(
      `The profile's allowedTenants names ${allowedTenants.length} tenants, and one tenant per profile is allowed.`,
      "Leave one there, and sign in to each of the others with a profile of its own: alai login --profile NAME.",
    );
  if (!issuer.includes(ANY_TENANT) || allowedTenants.length === 1) return;
  throw usage(
    "This address signs in users of every tenant there is.",
    "Use your own tenant's address, or name the one tenant that may sign in: allowedTenants in the profile.",
  );
}

const GUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/**
 * The issuer's name, and the address of its metadata, to be kept in a profile. Each kind has its own rule for how the two may
 * differ (facts/login-secrets-packaging.md, 1.2). Throws for any other difference.
 */
export function pinned(
  kind: IssuerKind,
  discoveryUrl: string,
  { issuer }: Metadata,
): { issuer: string; discoveryUrl: string } {
  const url = new URL(discoveryUrl);
  const given = discoveryUrl.slice(0, -WELL_KNOWN.length);
  const same = issuer === given || issuer === `${given}/`;
  if (kind === "b2c") {
    const form = new RegExp(`^${url.protocol}//${escaped(url.host)}/(?:${GUID}|tfp/${GUID}/[\\w.-]+)/v2\\.0/$`);
    if (form.test(issuer)) return { issuer, discoveryUrl };
  } else if (kind === "entra-external") {
    const found = new RegExp(`^${url.protocol}//(${GUID})\\.([\\w.:-]+)/(${GUID})/v2\\.0/?$`).exec(issuer);
    const domain = url.host.slice(url.host.indexOf(".") + 1);
    if (found && found[1] === found[3] && found[2] === domain)
      return { issuer, discoveryUrl: `${issuer.replace(/\/$/, "")}${WELL_KNOWN}` };
    // A domain of the company's own keeps its name.
    if (same) return { issuer, discoveryUrl };
  } else if (same || (kind === "entra" && issuer === `${url.origin}/${ANY_TENANT}/v2.0`))
    return { issuer, discoveryUrl };
  throw new Exit(
    EXIT.signIn,
    "foreign_issuer",
    `${discoveryUrl} says that it is ${truncate(oneLine(issuer), 100)}, which is not how an issuer of the kind ${kind} is named.`,
    "Check the address; --kind says which kind of issuer it is.",
  );
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
