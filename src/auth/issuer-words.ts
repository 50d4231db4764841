import { usage } from "../kit/errors.ts";
import { isLoopback } from "../kit/loopback.ts";
import { oneLine, truncate } from "../kit/text.ts";

/** Readers of what a first sign-in is told, by flags and by answers alike. Each throws a usage error that says what to type. */

/** Throws unless it is https, or http on this machine. @param what the address is of: "The issuer's address". */
export function requireSafe(raw: string, what: string): URL {
  const url = URL.canParse(raw) ? new URL(raw) : null;
  if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)))) return url;
  throw usage(
    `${what} is not an https address: ${truncate(oneLine(raw), 80)}`,
    "Type for example https://login.example.com",
  );
}

/** The issuer's address as it was typed, without spaces around it. */
export function issuerAddress(raw: string): string {
  const text = raw.trim();
  if (text === "") throw usage("The issuer's address is empty.", "Type for example https://login.example.com");
  if (!URL.canParse(text))
    throw usage(
      `"${truncate(oneLine(text), 80)}" is not an issuer's address.`,
      "Type for example https://login.example.com",
    );
  requireSafe(text, "The issuer's address");
  return text;
}

/** A client id: one word (RFC 6749, A.1, allows spaces too, which no issuer gives out and every wrong paste has). */
export function clientIdWord(raw: string): string {
  const text = raw.trim();
  if (/^[!-~]+$/.test(text)) return text;
  throw usage(
    text === "" ? "The client id is empty." : `"${truncate(oneLine(text), 80)}" is not a client id.`,
    "Type the one word under which alai is registered at the issuer, for example 11111111-2222-3333-4444-555555555555",
  );
}

/** Scopes between spaces or commas: at least one (RFC 6749, 3.3). */
export function scopeWords(raw: string): string[] {
  const words = raw.split(/[\s,]+/).filter(Boolean);
  const strange = words.find((word) => !/^[!#-[\]-~]+$/.test(word));
  if (words.length > 0 && strange === undefined) return words;
  throw usage(
    strange === undefined ? "The scope is empty." : `"${truncate(oneLine(strange), 80)}" is not a scope.`,
    "Type the scope of your API, for example api://alai/tasks.write; openid where the issuer has none.",
  );
}
