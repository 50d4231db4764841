import type { Tokens } from "./tokens.ts";

/**
 * Scopes that were asked for and that the issuer did not grant (RFC 6749, 3.3: it may grant fewer, and says which). Issuers name
 * those of a person only sometimes: then what they stand for shows it, the ID token, the refresh token, the claims.
 */
export function notGranted(tokens: Tokens): string[] {
  return (tokens.asked ?? []).filter((scope) => !isGranted(scope, tokens));
}

function isGranted(scope: string, tokens: Tokens): boolean {
  const { scopes, idToken, refreshToken, name, email } = tokens;
  // Who names one of a person's names them all.
  const isNamed = scopes.includes(scope) || !scopes.includes("openid");
  if (scope === "openid") return idToken !== null;
  if (scope === "offline_access") return refreshToken !== null;
  if (scope === "profile") return isNamed || name !== null;
  if (scope === "email") return isNamed || email !== null;
  // Microsoft: whatever the client may have of the API; it is answered with the scopes' own names.
  if (scope.endsWith("/.default")) return true;
  return scopes.some((one) => isSame(scope.toLowerCase(), one.toLowerCase()));
}

/** Microsoft leaves the API's address out of the names of its own scopes. */
function isSame(asked: string, granted: string): boolean {
  return asked === granted || asked.endsWith(`/${granted}`);
}

/** What it means that these were not granted, in one sentence for stderr; null when there are none. */
export function notGrantedSentence(scopes: readonly string[]): string | null {
  if (scopes.length === 0) return null;
  const ofApi = scopes.filter((scope) => !Object.hasOwn(PERSONAL, scope)).length;
  const it = ofApi === 1 ? "it" : "them";
  const meanings = [
    ofApi > 0 &&
      `calls that need ${it} are refused until whoever runs the issuer allows ${it} to you and to this client`,
    ...new Set(scopes.map((scope) => PERSONAL[scope])),
  ];
  return `the issuer did not grant ${scopes.join(", ")}: ${meanings.filter(Boolean).join("; ")}`;
}

/** Scopes that are about a person, and what is missing without them. */
const PERSONAL: Readonly<Record<string, string>> = {
  openid: "it does not say who you are",
  offline_access: "the sign-in ends with its first token",
  profile: "your name is not known",
  email: "your e-mail address is not known",
};
