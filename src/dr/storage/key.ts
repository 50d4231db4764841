import { StorageError } from "./storage.ts";

/**
 * A key as the service has it: below the storage's prefix. A part that is empty, `.` or `..` is refused: servers and folders
 * take it for another key.
 */
export function fullKey(prefix: string, key: string): string {
  if (key.split("/").some((part) => /^\.{0,2}$/.test(part)))
    throw new StorageError("failed", `${JSON.stringify(key)} is no key: each of its parts needs a name.`);
  return below(prefix, key);
}

/** What a listing asks for; here the last part may be empty. */
export function below(prefix: string, rest: string): string {
  return prefix === "" ? rest : `${prefix}/${rest}`;
}

/** The key without the storage's prefix; null for what is not below it. */
export function withoutPrefix(prefix: string, full: string): string | null {
  if (prefix === "") return full;
  return full.startsWith(`${prefix}/`) ? full.slice(prefix.length + 1) : null;
}

/** The same text on its own: V8 keeps the whole of what a text was cut out of, here pages of megabytes. */
export function apart(text: string): string {
  return Buffer.from(text).toString();
}

/** For a URL's path, by RFC 3986: `encodeURIComponent` leaves five characters that signatures have encoded. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodePart).join("/");
}

export function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Services sort by bytes, JavaScript by UTF-16: for keys beyond the BMP these differ. */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
