import { usage } from "../kit/errors.ts";
import { oneLine, truncate } from "../kit/text.ts";

/** `bw://item[/field]`, `bw://folder/item[/field]`: a secret by where it is. */
export interface Reference {
  /** As it was typed. */
  readonly raw: string;
  /** Between the slashes, with `%2F` and the like read. */
  readonly parts: readonly string[];
}

const SCHEME = "bw://";

export function isReference(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Throws a usage error for what is no reference. */
export function parseReference(raw: string): Reference {
  const shown = truncate(oneLine(raw), 60);
  if (!isReference(raw))
    throw usage(
      `"${shown}" is not a reference to a secret.`,
      "A reference is bw://ITEM, bw://ITEM/FIELD or bw://FOLDER/ITEM/FIELD.",
    );
  const parts = raw
    .slice(SCHEME.length)
    .split("/")
    .map((part) => decode(part, shown));
  if (parts.some((part) => part === ""))
    throw usage(
      `A part of the reference "${shown}" is empty.`,
      "A reference is bw://ITEM, bw://ITEM/FIELD or bw://FOLDER/ITEM/FIELD; write %2F for a slash in a name.",
    );
  return { raw, parts };
}

/** A reference of these parts, which reads back as them. */
export function formatReference(...parts: readonly string[]): string {
  return SCHEME + parts.map((part) => part.replaceAll(/[%/\p{Cc}\u2028\u2029]/gu, encodeURIComponent)).join("/");
}

function decode(part: string, shown: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw usage(
      `"${shown}" has a % that is not followed by the two digits of a character.`,
      "Write %25 for a % in a name, and %2F for a slash.",
    );
  }
}
