import type { Match } from "./match.ts";

/** One change of a text. */
export interface Edit {
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is to be done about one address: changed, or left and why. */
export type Verdict =
  | { readonly match: Match; readonly edits: readonly Edit[] }
  | { readonly match: Match; readonly left: string };

export function isEdit(verdict: Verdict): verdict is Extract<Verdict, { edits: readonly Edit[] }> {
  return "edits" in verdict;
}

/** The text with all edits done; the same edit twice, such as an import that two need, is done once. */
export function applied(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of inOrder(edits)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const unique = new Map(edits.map((edit) => [`${edit.start} ${edit.end} ${edit.text}`, edit]));
  return [...unique.values()].sort((a, b) => a.start - b.start);
}

/** The usual reasons, in the same words in all languages. */
export const LEFT = {
  comment: "in a comment",
  text: "inside a longer text",
  bare: "without http://: whether a host or an address is wanted is not known",
  place: "where the language takes no expression, as far as is known",
  escaped: "in a text with escapes",
  language: "only shell, JavaScript, TypeScript and Python are rewritten",
  syntax: "the file is not understood",
} as const;
