import type { JWTPayload } from "jose";
import { invalidToken } from "../refuse.ts";
import type { IssuerOptions } from "./options.ts";

const LONGEST_SUBJECT = 255;
/** Claims that only an ID token has. */
const ID_TOKEN = ["nonce", "at_hash", "c_hash"] as const;

/** What holds beyond signature, issuer, audience and times, which jose checks. @param now seconds. Throws AuthError. */
export function checkClaims(claims: JWTPayload, options: IssuerOptions, now: number): void {
  requireSubject(claims);
  if (typeof claims.iat !== "number" || claims.iat > now + options.clockTolerance)
    throw invalidToken("iat is in the future");
  // App roles stand in ID tokens too: only delegated scopes make an access token of one.
  if (ID_TOKEN.some((name) => name in claims) && !["scp", "scope"].some((name) => name in claims))
    throw invalidToken("an ID token is no access token");
  requireListed(claims, ["azp", "appid", "client_id"], options.clients);
  requireListed(claims, ["tid"], options.tenants);
  requireListed(claims, ["tfp", "acr"], options.policies);
}

function requireSubject({ sub }: JWTPayload): void {
  if (typeof sub !== "string" || sub === "" || sub.length > LONGEST_SUBJECT || /\p{C}/u.test(sub))
    throw invalidToken("sub is no name");
}

/** At least one of the claims must be there, and each that is there must be listed: two that differ hide one. */
function requireListed(claims: JWTPayload, names: readonly string[], allowed: readonly string[] | null): void {
  if (allowed === null) return;
  const known = allowed.map((value) => value.toLowerCase());
  const found = names.filter((name) => claims[name] !== undefined);
  const isListed = (name: string) => known.includes(String(claims[name]).toLowerCase());
  if (found.length === 0 || !found.every((name) => typeof claims[name] === "string" && isListed(name)))
    throw invalidToken(`${names.join(", ")} not on the list`);
}
