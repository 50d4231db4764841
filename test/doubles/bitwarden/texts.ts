/** The texts of an item that are not encrypted: ids, dates, and keys, which are wrapped by another one. */
const CLEAR = new Set([
  ...["id", "folderId", "organizationId", "key", "encryptedFor", "encryptedByKeyId", "object"],
  ...["creationDate", "revisionDate", "deletedDate", "archivedDate", "lastKnownRevisionDate"],
  ...["passwordRevisionDate", "lastUsedDate"],
]);

/** The same item, with every text that is (or must be) encrypted changed by `change`; `path` names the text. */
export function mapTexts<T>(item: T, change: (text: string, path: string) => string): T {
  return walk(item, "", change) as T;
}

function walk(value: unknown, path: string, change: (text: string, path: string) => string): unknown {
  if (typeof value === "string") return change(value, path);
  if (Array.isArray(value)) return value.map((one, index) => walk(one, `${path}[${index}]`, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      CLEAR.has(name) ? inner : walk(inner, path ? `${path}.${name}` : name, change),
    ]),
  );
}
