import type { Millis } from "@alai/core";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import type { Granted } from "./flows/flow.ts";
import type { IssuerProfile } from "./profile.ts";
import type { Tokens } from "./tokens.ts";

/** What an issuer answered, as it is kept. @param profile with the scopes that were asked for. @param before the tokens that were renewed: what the answer leaves out stays. Throws Exit 4. */
export function tokensFrom(
  granted: Granted,
  profile: IssuerProfile,
  now: Millis,
  flow: Tokens["flow"],
  before?: Tokens,
): Tokens {
  const { access_token: accessToken } = granted;
  const claims: Readonly<Record<string, unknown>> = granted.claims() ?? {};
  // B2C says it as a text.
  const seconds = Number(granted.expires_in ?? Number.NaN);
  const refreshSeconds = Number(granted.refresh_expires_in ?? granted.refresh_token_expires_in ?? Number.NaN);
  requireTenant(claims, profile);
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  return {
    issuer: profile.issuer,
    clientId: profile.clientId,
    accessToken,
    refreshToken: granted.refresh_token ?? before?.refreshToken ?? null,
    idToken: granted.id_token ?? before?.idToken ?? null,
    expiresAt: Number.isFinite(seconds) ? now + seconds * 1000 : jwtExpiry(accessToken),
    refreshExpiresAt: Number.isFinite(refreshSeconds) ? now + refreshSeconds * 1000 : null,
    asked: before ? before.asked : profile.scopes,
    scopes:
      typeof granted.scope === "string" ? granted.scope.split(" ").filter(Boolean) : (before?.scopes ?? profile.scopes),
    subject: text(claims.sub) ?? before?.subject ?? subjectOf(accessToken) ?? "unknown",
    name: text(claims.name) ?? before?.name ?? null,
    email: text(claims.email) ?? text(claims.preferred_username) ?? before?.email ?? null,
    signedInAt: before?.signedInAt ?? now,
    obtainedAt: now,
    flow: before?.flow ?? flow,
  };
}

function requireTenant(claims: Readonly<Record<string, unknown>>, { allowedTenants }: IssuerProfile): void {
  if (allowedTenants.length === 0 || claims.tid === undefined || allowedTenants.includes(String(claims.tid))) return;
  throw new Exit(
    EXIT.signIn,
    "foreign_tenant",
    "You signed in with an account of another company.",
    "Sign out in the browser and sign in with your company's account.",
  );
}

/** What a token says of itself, unchecked: for a clock and a name to show, never to let anyone in. */
export function readJwt(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function jwtExpiry(token: string): Millis | null {
  const { exp } = readJwt(token);
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : null;
}

function subjectOf(token: string): string | null {
  const { sub } = readJwt(token);
  return typeof sub === "string" ? sub : null;
}
