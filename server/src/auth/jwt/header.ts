import { decodeJwt, decodeProtectedHeader, type ProtectedHeaderParameters } from "jose";
import { invalidToken } from "../refuse.ts";

/** Parts of a header that ask the reader to trust the token's own word, or to read it in an unusual way. */
const NEVER = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"] as const;
const LONGEST_KID = 256;

/** What a token says of itself, before anything of it is known to be true. Throws AuthError. */
export function unverified(token: string): { header: ProtectedHeaderParameters; issuer: unknown } {
  const parts = token.split(".");
  if (parts.length !== 3) throw invalidToken("not a signed JWT");
  if (!parts.every(isCanonical)) throw invalidToken("not base64url");
  try {
    return { header: decodeProtectedHeader(token), issuer: decodeJwt(token).iss };
  } catch (error) {
    throw invalidToken(`cannot be decoded: ${error instanceof Error ? error.message : error}`);
  }
}

/** The last character may have bits that decoders drop: then several texts would be the same token. */
function isCanonical(part: string): boolean {
  return part !== "" && Buffer.from(part, "base64url").toString("base64url") === part;
}

/** Refuses by the header alone, before a key is looked for. The algorithm is checked with the signature. */
export function checkHeader(header: ProtectedHeaderParameters, types: readonly string[]): void {
  const strange = NEVER.find((name) => name in header);
  if (strange) throw invalidToken(`header has ${strange}`);
  if (typeof header.kid !== "string" || header.kid === "" || header.kid.length > LONGEST_KID)
    throw invalidToken("header has no kid");
  // An unset type may be anything: an ID token, a logout token, a signed request.
  if (typeof header.typ !== "string" || !types.includes(header.typ.toLowerCase()))
    throw invalidToken(`header has typ ${String(header.typ).slice(0, 40)}`);
}
