import { isIPv6 } from "node:net";
import { networkOf } from "../audit/address.ts";

/**
 * Takes out of a finished log line what must not be in it. It works on the JSON text, so it sees every field, nested error and
 * stack alike; nothing it puts in needs escaping, and nothing it takes out includes a quote, so the line stays JSON.
 */
export function redactLine(line: string): string {
  let out = line;
  if (SECRET_HINT.test(out)) out = withoutSecrets(out);
  if (out.includes("=")) out = out.replace(QUERY, hideUnknown);
  if (out.includes("@") || EMAIL_HINT.test(out))
    out = out.replace(CREDENTIALS, "$1[secret]@").replace(EMAIL, "[email]");
  if (V6_HINT.test(out)) out = out.replace(V6, coarse6);
  return out.replace(V4, coarse4);
}

const NAMES =
  "authorization|proxy-authorization|cookie|set-cookie|x-api-key|api_?key|password|passwd|secret|client_secret|" +
  "access_token|refresh_token|id_token|token|database_?url|connection_?string";
const STRING = '"(?:[^"\\\\]|\\\\.)*"';

const SECRET_HINT = /eyJ|alai_st_|bearer|basic|dpop|authorization|cookie|api_?key|passw|secret|token|url"|string"/i;
/** `"cookie":"…"`, a list of strings, a number; also as a pair in a list, as raw headers have it. */
const FIELD = new RegExp(`("(?:${NAMES})"\\s*[:,]\\s*)(?:${STRING}|\\[(?:${STRING},?)*\\]|-?\\d[\\d.]*)`, "gi");
/** The same in a text: `password=…`, `Cookie: …`, JSON within a string. */
const MENTION = new RegExp(
  `((?:${NAMES.replace("|token|", "|")})(?:\\s*[:=]\\s*|\\\\+"\\s*:\\s*\\\\+"))[^\\s"'\\\\,;&{}[\\]]+`,
  "gi",
);
const SCHEME = /((?:bearer|basic|dpop)(?:\s|%20)+)(?=[^\s"]{0,200}[\d=+/._])[\w.~+/=-]{6,}/gi;
/** A JWT, and whatever else begins like the base64 of a JSON object. It never gives up, so it takes no longer than the line. */
const JWT = /eyJ[\w.-]{6,}/g;
const SERVICE_TOKEN = /alai_st_[\w-]+/g;

function withoutSecrets(line: string): string {
  return line
    .replace(FIELD, '$1"[secret]"')
    .replace(SCHEME, "$1[secret]")
    .replace(MENTION, "$1[secret]")
    .replace(JWT, "[secret]")
    .replace(SERVICE_TOKEN, "[secret]");
}

/** `postgres://name:word@host`. */
const CREDENTIALS = /(:\/\/)[^\s/@"\\]{0,256}@/g;

const EMAIL_HINT = /%40|u0040/i;
/** Not within an escape (`\n`, `\u0000`): its letters belong to the backslash. An even number of backslashes is none. */
const OUTSIDE = String.raw`(?<!(?<!\\)(?:\\\\){0,9}\\(?:u[\da-f]{0,3})?)`;
/** At most 64 long before the `@`, so that no line takes long. */
const LOCAL = String.raw`(?:[^\s"\\<>(),:;@[\]{}=?&/|]{1,64}|\\"[^"\\\s]{1,64}\\")`;
const DOMAIN = String.raw`(?:(?:[\p{L}\p{N}_-]{1,63}\.){1,8}\p{L}[\p{L}\p{N}-]{1,62}|\[[^\]\s"\\]{1,64}\])`;
const EMAIL = new RegExp(String.raw`(?=[^\s\\]|\\")${OUTSIDE}${LOCAL}(?:@|%40|\\+u0040)${DOMAIN}`, "giu");

/** Query values that tell nothing about a person. */
const KNOWN = new Set([
  "after",
  "task",
  "limit",
  "last",
  "wait",
  "sort",
  "status",
  "priority",
  "parent",
  "all",
  "fields",
]);
const QUERY = /([?&])([\w.~%[\]-]{1,64})=([^&\s"'#\\<>]*)/g;

function hideUnknown(_: string, mark: string, name: string, value: string): string {
  return `${mark}${name}=${KNOWN.has(name) ? value : "***"}`;
}

/** Where an address may begin: behind nothing that belongs to it, or right behind an escape. */
const V4 = /(?:(?<!\d)|(?<=\\u[\da-f]{4}))(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}(?!\d)(?:\/\d{1,2})?/g;
const V6_HINT = /::|(?::[\da-f]{1,4}){7}/i;
const V6 = new RegExp(
  String.raw`(?=[\da-f:])(?:(?<![\da-f:.])|(?<=\\u[\da-f]{4}))${OUTSIDE}` +
    String.raw`(?:[\da-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{1,4})?(?:%\w+)?(?![\w:])(?:\/\d{1,3})?`,
  "gi",
);

function coarse4(_: string, network: string): string {
  return `${network}.0/24`;
}

function coarse6(found: string): string {
  const [address = ""] = found.split(/[%/]/);
  return isIPv6(address) && address !== "::" ? networkOf(address) : found;
}
