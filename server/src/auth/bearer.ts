import type { IncomingHttpHeaders } from "node:http";
import { invalidToken, unauthenticated } from "./refuse.ts";

/** Bytes of the longest token that is looked at: asked before anything is decoded, because decoding is work for free. */
export const MAX_TOKEN = 8 * 1024;

/** The scheme in any case; one token of the characters that our two kinds have, and nothing behind it. */
const BEARER = /^bearer +([A-Za-z0-9._-]+)$/i;
const SCHEME = "bearer ".length;
const NAME = "authorization";

/** The one token of a request, from its one Authorization header. A token in the query is no token. Throws AuthError. */
export function bearerToken(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): string {
  const value = headers.authorization;
  if (value === undefined) throw unauthenticated("no Authorization header");
  if (isTwice(rawHeaders)) throw invalidToken("two Authorization headers");
  if (value.length > MAX_TOKEN + SCHEME) throw invalidToken("longer than 8 KiB");
  const token = BEARER.exec(value)?.[1];
  if (token !== undefined) return token;
  if (value.slice(0, SCHEME).trimEnd().toLowerCase() === "bearer") throw invalidToken("not one bearer token");
  throw unauthenticated("another scheme than Bearer");
}

/** Node keeps the first of two Authorization headers and drops the other; a proxy in front may have read the other one. */
function isTwice(rawHeaders: readonly string[]): boolean {
  let found = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === NAME.length && name.toLowerCase() === NAME) found += 1;
  }
  return found > 1;
}
