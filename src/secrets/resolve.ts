import { oneLine, truncate } from "../kit/text.ts";
import { defaultField, type Field, fieldsOf, matchFields } from "./field.ts";
import { formatReference, type Reference } from "./reference.ts";
import type { Vault, VaultFolder, VaultItem } from "./vault.ts";

/** Why a reference gives nothing, and what to type instead. Never with a value in it. */
export interface Unresolved {
  readonly reference: Reference;
  readonly code: "not_found" | "ambiguous" | "empty";
  readonly message: string;
  readonly hint: string | undefined;
}

export type Resolution = { readonly value: string } | Unresolved;

/** What a vault has, asked for once for however many references. */
export interface Contents {
  readonly items: readonly VaultItem[];
  readonly folders: ReadonlyMap<string, string>;
}

/** Finds what each reference stands for; in their order. */
export async function resolveAll(vault: Vault, references: readonly Reference[]): Promise<Resolution[]> {
  if (references.length === 0) return [];
  const [items, folders] = await Promise.all([vault.items(), vault.folders()]);
  const contents = { items, folders: folderNames(folders) };
  const found = references.map((reference) => find(contents, reference));
  return Promise.all(found.map((one) => ("field" in one ? readValue(vault, one) : one())));
}

export function folderNames(folders: readonly VaultFolder[]): Map<string, string> {
  return new Map(folders.flatMap(({ id, name }) => (id === null ? [] : [[id, name] as const])));
}

interface Found {
  readonly reference: Reference;
  readonly item: VaultItem;
  readonly field: Field;
}

async function readValue(vault: Vault, { reference, item, field }: Found): Promise<Resolution> {
  if (!field.value)
    return {
      reference,
      code: "empty",
      message: `${field.name} of ${quoted(item.name)} is empty.`,
      hint: fieldsHint(item),
    };
  return { value: field.totp ? await vault.totp(item.id) : field.value };
}

/**
 * Two parts are a folder and its item, or an item and its field; both readings are tried, and where both find something nothing
 * is guessed. Why there is nothing is worded when it is asked for: what is offered instead is looked for here in its turn.
 */
function find(contents: Contents, reference: Reference): Found | (() => Unresolved) {
  const { parts } = reference;
  const whole = itemsAt(contents, parts);
  const withField = parts.length > 1 ? itemsAt(contents, parts.slice(0, -1)) : [];
  const word = parts.at(-1) ?? "";
  const readings = [
    ...whole.map((item) => ({ item, fields: [defaultField(item)].filter((field) => field !== undefined) })),
    // Of two items of that name, the one that has the field today may not be the one that was meant.
    ...(withField.some((item) => matchFields(item, word).length > 0) ? withField : []).map((item) => ({
      item,
      fields: matchFields(item, word),
    })),
  ];
  const [only, ...more] = readings;
  if (!only) return () => (withField.length > 0 ? noField(reference, withField, word) : notFound(contents, reference));
  const [field, ...otherFields] = only.fields;
  if (more.length > 0) return () => ambiguous(contents, reference, readings);
  if (!field) return () => noField(reference, [only.item], word);
  if (otherFields.length > 0) return () => ambiguousField(contents, reference, only.item, only.fields);
  return { reference, item: only.item, field };
}

/**
 * The shortest reference that means this item, or this field of it, and nothing else: by its name, with its folder, by its id.
 * @param field left out: what the item alone stands for.
 */
export function shortestReference(contents: Contents, item: VaultItem, field?: Field): string {
  const within = contents.folders.get(item.folderId ?? "");
  const paths = [[item.name], ...(within === undefined ? [] : [[...within.split("/"), item.name]])];
  const withField = field ? [...paths, [item.id]].map((path) => [...path, field.name]) : [];
  const readable = [...paths, ...withField].find((path) => meansOnly(contents, path, item, field));
  return formatReference(...(readable ?? [item.id, ...(field ? [field.name] : [])]));
}

function meansOnly(contents: Contents, parts: readonly string[], item: VaultItem, field?: Field): boolean {
  if (parts.includes("")) return false;
  const found = find(contents, { raw: "", parts });
  return "field" in found && found.item === item && (field === undefined || found.field.name === field.name);
}

/** Items at a folder and name, at a name in any folder, or of an id. */
function itemsAt({ items, folders }: Contents, path: readonly string[]): VaultItem[] {
  const [first = ""] = path;
  const byId = path.length === 1 ? items.filter(({ id }) => id === first.toLowerCase()) : [];
  if (byId.length > 0) return byId;
  const name = path.at(-1);
  const folder = path.slice(0, -1).join("/");
  return items.filter(
    (item) => item.name === name && (path.length === 1 || folders.get(item.folderId ?? "") === folder),
  );
}

function noField(reference: Reference, items: readonly VaultItem[], word: string): Unresolved {
  const [item] = items;
  return {
    reference,
    code: "not_found",
    message: `${quoted(item?.name ?? "")} has no field ${quoted(word)}.`,
    hint: item && fieldsHint(item),
  };
}

function fieldsHint(item: VaultItem): string | undefined {
  const names = fieldsOf(item).flatMap(({ name, value }) => (value ? [oneLine(name)] : []));
  return names.length > 0 ? `It has: ${[...new Set(names)].join(", ")}.` : "It has no field with a value.";
}

function ambiguous(
  contents: Contents,
  reference: Reference,
  readings: readonly { item: VaultItem; fields: readonly Field[] }[],
): Unresolved {
  const choices = readings.map(({ item, fields }) => {
    const place =
      item.folderId === null ? "in no folder" : `in ${quoted(contents.folders.get(item.folderId) ?? "a folder")}`;
    return `${pasteable(shortestReference(contents, item, fields[0]))} (${quoted(item.name)} ${place})`;
  });
  return {
    reference,
    code: "ambiguous",
    message: `${readings.length} things of the vault are called ${oneLine(reference.raw)}.`,
    hint: `Type one of: ${choices.join(", ")}.`,
  };
}

function ambiguousField(
  contents: Contents,
  reference: Reference,
  item: VaultItem,
  fields: readonly Field[],
): Unresolved {
  const names = [...new Set(fields.map((field) => pasteable(shortestReference(contents, item, field))))];
  return {
    reference,
    code: "ambiguous",
    message: `${quoted(item.name)} has ${fields.length} fields that ${oneLine(reference.raw)} may mean.`,
    hint: names.length > 1 ? `Type one of: ${names.join(", ")}.` : "Give one of them another name in the vault.",
  };
}

/** Names of items are shown, as `secrets list` does: a wrong reference is nearly always one letter off. */
function notFound(contents: Contents, reference: Reference): Unresolved {
  const near = nearest(contents.items, reference.parts.map(plain));
  const choices = near.map((item) => pasteable(shortestReference(contents, item)));
  return {
    reference,
    code: "not_found",
    message: `There is no ${oneLine(reference.raw)} in the vault.`,
    hint: choices.length > 0 ? `Did you mean ${choices.join(" or ")}?` : "Type alai secrets list to see what there is.",
  };
}

/** At most three, the nearest first. */
function nearest(items: readonly VaultItem[], wanted: readonly string[]): VaultItem[] {
  const far = (item: VaultItem) => Math.min(...wanted.map((part) => distance(part, plain(item.name))));
  return items
    .filter(({ name }) => wanted.some((part) => isNear(part, plain(name))))
    .map((item) => ({ item, far: far(item) }))
    .sort((one, other) => one.far - other.far)
    .slice(0, 3)
    .map(({ item }) => item);
}

/** As a shell takes it for one word. */
function pasteable(reference: string): string {
  const shown = oneLine(reference);
  return /^[\p{L}\p{N}:/%@._+=-]*$/u.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** One within the other, or two changes apart at most. */
function isNear(one: string, other: string): boolean {
  if (one.length < 3 || other.length < 3) return one === other;
  if (one.includes(other) || other.includes(one)) return true;
  return Math.abs(one.length - other.length) <= 2 && distance(one, other) <= 2;
}

/** Levenshtein's. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let to = 1; to <= other.length; to++) {
      const changed = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function quoted(name: string): string {
  return `"${truncate(oneLine(name), 60)}"`;
}
