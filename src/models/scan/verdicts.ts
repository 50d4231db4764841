import { LEFT, type Verdict } from "./edit.ts";
import type { Language } from "./language.ts";
import type { Match } from "./match.ts";
import { pythonVerdicts } from "./python.ts";
import { scriptVerdicts } from "./script.ts";
import { shellVerdicts } from "./shell.ts";

/** What to write instead. */
export type Instead =
  | { readonly kind: "variable" }
  /** In any file, as it is. */
  | { readonly kind: "address"; readonly url: URL }
  /** Of the file's language. */
  | { readonly kind: "expression"; readonly text: string };

/** What is to be done about each address of a file. Pure. */
export function verdictsFor(
  language: Language,
  text: string,
  matches: readonly Match[],
  instead: Instead,
): readonly Verdict[] {
  if (instead.kind === "address") return matches.map((match) => otherAddress(match, instead.url));
  const expression = instead.kind === "expression" ? instead.text : null;
  if (language === "shell") return shellVerdicts(text, matches, expression);
  if (language === "python") return pythonVerdicts(text, matches, expression);
  if (language !== "other") return scriptVerdicts(text, matches, expression, language === "typescript");
  return matches.map((match) => ({ match, left: LEFT.language }));
}

/** Another address is as good wherever an address may stand; where only a host stands, only if it needs no https. */
function otherAddress(match: Match, url: URL): Verdict {
  const end = match.at + match.text.length;
  const address = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  if (match.whole) return { match, edits: [{ start: match.at, end, text: address }] };
  if (url.protocol !== "http:" || url.port === "" || url.pathname !== "/") return { match, left: LEFT.bare };
  return { match, edits: [{ start: match.at, end, text: url.host }] };
}
