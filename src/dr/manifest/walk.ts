import { BadInput } from "@alai/core";
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { suggest } from "../../kit/suggest.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { duration } from "../../kit/values.ts";
import { shown, type YamlFile } from "./document.ts";
import type { DurationShape, Fields, NumberShape, Of, Shape, TextShape, VariantShape } from "./shape.ts";

/** What could be read of a value: anything in it may be missing. */
export type Loose<T> = T extends readonly (infer I)[]
  ? readonly (Loose<I> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Loose<T[K]> | undefined }
    : T;

/**
 * The value of a YAML file, checked by a shape. What is wrong is added to the file's problems, all of it, and is missing in the
 * value: that is whole only when there are none.
 */
export function walk<S extends Shape>(file: YamlFile, shape: S): Loose<Of<S>> | undefined {
  return value(file, file.root, shape, "the file") as Loose<Of<S>> | undefined;
}

/** @param label how the value is called in a message: its key, or what it is an item of. */
function value(file: YamlFile, node: Node | null, shape: Shape, label: string): unknown {
  if (!isPlain(file, node)) return undefined;
  if (shape.kind === "list") return items(file, node, shape.item, shape.least, label);
  if (shape.kind === "object") return keys(file, node, shape.fields, label);
  if (shape.kind === "variant") return oneVariant(file, node, shape, label);
  if (shape.kind === "scalars") return scalars(file, node, label);
  if (!isScalar(node) || node.value === null) return wrong(file, node, label, `is ${shown(node)}`, allowedBy(shape));
  return scalar(file, node, shape, label);
}

/** Nothing that makes a value stand elsewhere than where it is read. */
function isPlain(file: YamlFile, node: Node | null): boolean {
  if (isAlias(node)) file.add(node, "A reference (*) is not taken here.", "Write the value itself.");
  else if (node && "anchor" in node && node.anchor) file.add(node, "An anchor (&) is not taken here.", "Leave it out.");
  else if (node?.tag && !node.tag.startsWith("tag:yaml.org"))
    file.add(node, "A tag (!) is not taken here.", "Leave it out.");
  else return true;
  return false;
}

function wrong(file: YamlFile, node: Node | null, label: string, what: string, allowed: string): undefined {
  file.add(node, `${label} ${what}.`, allowed);
}

function allowedBy(shape: Shape): string {
  if (shape.kind === "text") return shape.allowed;
  if (shape.kind === "number") return `Write a whole number from ${shape.least} ${upTo(shape)}.`;
  if (shape.kind === "flag") return "Write true or false.";
  if (shape.kind === "choice") return `Write one of: ${shape.words.join(", ")}.`;
  if (shape.kind === "duration")
    return `Write a number and a unit, for example 90s, 10m, 2h or 1d${shape.orNone ? ", or none" : ""}.`;
  if (shape.kind === "list") return "Write a list, an item a line, each after `- `.";
  return "Write keys and values, one a line.";
}

function upTo({ most }: NumberShape): string {
  return most >= Number.MAX_SAFE_INTEGER ? "up" : `to ${most}`;
}

function scalar(file: YamlFile, node: Scalar, shape: Shape, label: string): unknown {
  if (shape.kind === "text") return text(file, node, shape, label);
  if (shape.kind === "duration") return time(file, node, shape, label);
  const raw = node.value;
  if (shape.kind === "flag" && typeof raw === "boolean") return raw;
  if (shape.kind === "number" && Number.isSafeInteger(raw) && Number(raw) >= shape.least && Number(raw) <= shape.most)
    return raw;
  if (shape.kind === "choice" && shape.words.includes(String(raw))) return raw;
  return wrong(file, node, label, `is ${shown(node)}`, allowedBy(shape));
}

/** A name such as `2` or `3.10` is a text here, as it was written. */
function text(file: YamlFile, node: Scalar, shape: TextShape, label: string): string | undefined {
  const raw = typeof node.value === "string" ? node.value : String(node.source ?? node.value);
  if (shape.pattern.test(raw)) return raw;
  const said = shape.hidden ? `is not ${shape.what}` : `is ${shown(node)}, which is not ${shape.what}`;
  return wrong(file, node, label, said, shape.allowed);
}

function time(file: YamlFile, node: Scalar, shape: DurationShape, label: string): number | null | undefined {
  const raw = String(node.source ?? node.value);
  if (shape.orNone && raw === "none") return null;
  try {
    const ms = duration(raw);
    const { least, most } = shape;
    if (ms >= least && ms <= (most ?? ms)) return ms;
    const allowed = most === null ? `at least ${least / 1000}s` : `${least / 1000}s to ${most / 1000}s`;
    return wrong(
      file,
      node,
      label,
      `is ${shown(node)}, which is too ${ms < least ? "short" : "long"}`,
      `Write ${allowed}.`,
    );
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return wrong(file, node, label, `is ${shown(node)}, which is not a length of time`, allowedBy(shape));
  }
}

function items(file: YamlFile, node: Node | null, shape: Shape, least: number, label: string): unknown {
  if (!isSeq(node))
    return wrong(file, node, label, `is ${shown(node)}, not a list`, "Write a list, an item a line, each after `- `.");
  if (node.items.length < least) file.add(node, `${label} is empty.`, `Write at least ${least}.`);
  return node.items.map((item, at) => value(file, item as Node | null, shape, itemLabel(label, at, item)));
}

/** `Item 3 of databases (leads)`. */
function itemLabel(label: string, at: number, item: unknown): string {
  const name = isMap(item) ? item.get("name") : undefined;
  return `Item ${at + 1} of ${label}${typeof name === "string" ? ` (${truncate(oneLine(name), 40)})` : ""}`;
}

function keys(file: YamlFile, node: Node | null, fields: Fields, label: string): unknown {
  const found = pairs(file, node, label);
  if (!found) return undefined;
  const read: Record<string, unknown> = {};
  for (const [key, pair] of found) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field) read[key] = value(file, (pair.value as Node | null) ?? (pair.key as Node), field.shape, key);
    else unknownKey(file, pair.key as Node, key, Object.keys(fields), label);
  }
  const missing = Object.keys(fields).filter((key) => fields[key]?.required && !found.has(key));
  if (missing.length > 0)
    file.add(
      node,
      `${label} has no ${missing.join(", no ")}.`,
      missing.map((key) => `${key}: ${fields[key]?.shape.doc}`).join(" "),
    );
  return read;
}

function oneVariant(
  file: YamlFile,
  node: Node | null,
  shape: VariantShape<string, Readonly<Record<string, Fields>>>,
  label: string,
): unknown {
  const words = Object.keys(shape.variants);
  const tagShape = { kind: "choice", doc: "Which of the kinds it is.", words } as const;
  const tag = isMap(node) ? node.get(shape.tag) : undefined;
  const fields = typeof tag === "string" && Object.hasOwn(shape.variants, tag) ? shape.variants[tag] : undefined;
  if (fields) return keys(file, node, { [shape.tag]: { shape: tagShape, required: true }, ...fields }, label);
  if (!isMap(node)) return wrong(file, node, label, `is ${shown(node)}`, "Write keys and values, one a line.");
  const at = node.get(shape.tag, true) ?? node;
  const said = tag === undefined ? `has no ${shape.tag}` : `has the ${shape.tag} ${shown(at)}`;
  return wrong(file, at, label, said, `Write ${shape.tag}: with one of ${words.join(", ")}.`);
}

function scalars(file: YamlFile, node: Node | null, label: string): unknown {
  const found = pairs(file, node, label);
  if (!found) return undefined;
  return Object.fromEntries(
    [...found].map(([key, pair]) => {
      const inner = pair.value as Node | null;
      if (isScalar(inner) && ["string", "number", "boolean"].includes(typeof inner.value)) return [key, inner.value];
      return [
        key,
        wrong(file, inner ?? (pair.key as Node), key, "is not one value", "Write a text, a number, true or false."),
      ];
    }),
  );
}

/** The pairs of a map by key; a key that is no text or stands twice is said. */
function pairs(file: YamlFile, node: Node | null, label: string): Map<string, Pair> | undefined {
  if (!isMap(node)) return wrong(file, node, label, `is ${shown(node)}`, "Write keys and values, one a line.");
  const found = new Map<string, Pair>();
  for (const pair of (node as YAMLMap).items) {
    const key = isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : null;
    const before = key === null ? undefined : found.get(key);
    if (key === null) file.add(pair.key as Node, `A key in ${label} is not a text.`, "Write a plain word.");
    else if (before)
      file.add(
        pair.key as Node,
        `The key ${quoted(key)} stands twice in ${label}; first in line ${file.lineOf(before.key as Node)}.`,
        "Leave one of them.",
      );
    else found.set(key, pair);
  }
  return found;
}

function unknownKey(file: YamlFile, node: Node, key: string, known: readonly string[], label: string): void {
  const near = suggest(key, known);
  const allowed = `Allowed are: ${known.join(", ")}.`;
  file.add(node, `${label} has no key ${quoted(key)}.`, near ? `Did you mean ${near}? ${allowed}` : allowed);
}

function quoted(text: string): string {
  return `"${truncate(oneLine(text), 40)}"`;
}
