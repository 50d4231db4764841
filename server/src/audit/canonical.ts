/** What an entry is made of: RFC 8785 leaves JavaScript's own forms of these as they are. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/**
 * RFC 8785 (JCS): names sorted by UTF-16 code units, no white space. JavaScript's own forms of strings and numbers are the
 * ones that the RFC prescribes, so only the order is left to do. Throws for what has no JSON form of its own.
 */
export function canonicalJson(value: Plain): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
  if (typeof value === "string" && !value.isWellFormed()) throw new TypeError("half of a character has no JSON form");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(",")}}`;
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}
