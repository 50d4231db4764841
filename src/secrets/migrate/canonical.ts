import { createHash } from "node:crypto";

/** An item as `bw list items` shows it: whatever fields its kind has. */
export interface RawItem {
  readonly id: string;
  readonly type: number;
  readonly name: string | null;
  readonly folderId?: string | null;
  readonly organizationId?: string | null;
  readonly archivedDate?: string | null;
  readonly attachments?: readonly RawFile[];
  readonly notes?: string | null;
  readonly passwordHistory?: readonly unknown[] | null;
  readonly [field: string]: unknown;
}

/** A file of an item; `size` is of its encrypted bytes. */
export interface RawFile {
  readonly id: string;
  readonly fileName: string;
  readonly size: string;
}

/** What is only where it is: ids, dates, the wrapped key, files (compared by themselves), and the folder by its id. */
const PLACE = new Set([
  ...["id", "organizationId", "collectionIds", "folderId", "object", "key", "attachments", "archivedDate"],
  ...["creationDate", "revisionDate", "deletedDate", "edit", "viewPassword", "permissions", "organizationUseTotp"],
]);
/** A date of Bitwarden's own, which no import carries. */
const INNER_PLACE = new Set(["passwordRevisionDate"]);
/** Lists in which the order is of no meaning to anyone. Addresses, fields and history are shown in theirs. */
const SETS = new Set(["fido2Credentials"]);

export type Canonical = Readonly<Record<string, unknown>>;

/**
 * What makes an item what it is, the same on every server: without ids and dates, the folder by its name, and nothing that is
 * null or empty, which servers keep or drop as they like.
 */
export function canonicalOf(item: RawItem, folder: string | null): Canonical {
  const own = Object.entries(item).filter(([field]) => !PLACE.has(field));
  const rest = normal(Object.fromEntries(own)) as Record<string, unknown> | undefined;
  // Of a name that is empty something must be left, too.
  return { ...rest, name: item.name ?? "", folder: folder ?? "", archived: Boolean(item.archivedDate) };
}

/** Undefined for what holds nothing. */
function normal(value: unknown, field = ""): unknown {
  if (value === null || value === "") return undefined;
  if (Array.isArray(value)) {
    const all = value.map((one) => normal(one)).filter((one) => one !== undefined);
    if (SETS.has(field)) all.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
    return all.length > 0 ? all : undefined;
  }
  if (typeof value !== "object") return value;
  const inner = Object.entries(value as object)
    .filter(([name]) => !INNER_PLACE.has(name))
    .map(([name, one]) => [name, normal(one, name)] as const)
    .filter(([, one]) => one !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return inner.length > 0 ? Object.fromEntries(inner) : undefined;
}

export function hashOf(canonical: Canonical): string {
  const sorted = Object.entries(canonical).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}

/** Which fields differ, by name and never by value: `login.totp`, `notes`, `folder`. */
export function differingFields(one: Canonical, other: Canonical, prefix = ""): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return names.flatMap((name) => {
    const [left, right] = [one[name], other[name]];
    if (JSON.stringify(left) === JSON.stringify(right)) return [];
    if (prefix === "" && isObject(left) && isObject(right)) return differingFields(left, right, `${name}.`);
    return [`${prefix}${name}`];
  });
}

function isObject(value: unknown): value is Canonical {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for what `bw import` would change on its way: it tidies names, notes and long histories. One by one nothing is. */
export function isFragile({ name, notes, passwordHistory }: RawItem): boolean {
  return isBlank(name ?? "") || (Boolean(notes) && isBlank(notes ?? "")) || (passwordHistory?.length ?? 0) > 5;
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

const TYPES = ["", "login", "note", "card", "identity", "SSH key", "bank account", "driver's licence", "passport"];

/** What people call this kind of item. */
export function typeName(type: number): string {
  return TYPES[type] || `type ${type}`;
}
