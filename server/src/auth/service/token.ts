import { createHash, hash, randomBytes, timingSafeEqual } from "node:crypto";

/** Told apart from a JWT by this, and found by scanners for secrets in code. */
export const SERVICE_PREFIX = "alai_st_";
const FORM = /^(alai_st_[A-Za-z0-9_-]{43})_([A-Za-z0-9_-]{6})$/;

/** A new token: 256 random bits, and a checksum behind them. */
export function newServiceToken(): string {
  const body = `${SERVICE_PREFIX}${randomBytes(32).toString("base64url")}`;
  return `${body}_${checksum(body)}`;
}

/** True for what `newServiceToken` could have made: a token with a typing error never gets as far as the store. */
export function isServiceToken(text: string): boolean {
  const [, body = "", sum = ""] = FORM.exec(text) ?? [];
  return body !== "" && sum === checksum(body);
}

/** What is kept of a token, hex. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}

/** Compares two digests in a time that does not tell where they differ. */
export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, "hex"), Buffer.from(b, "hex"));
}

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("base64url").slice(0, 6);
}
