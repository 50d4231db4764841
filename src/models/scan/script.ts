import { type Edit, LEFT, type Verdict } from "./edit.ts";
import type { Match } from "./match.ts";
import { OF_TYPES, scriptTokens } from "./script-tokens.ts";
import { type Token, tokenAt } from "./token.ts";

/** What a text may stand behind so that any expression may stand there. */
const BEFORE: ReadonlySet<string> = new Set([
  ...["=", "(", ",", "[", "+", "??", "||", "&&", "?", "===", "==", "!==", "!=", "=>", "return", "default", "await"],
]);
/** Between these an expression needs no brackets of its own. */
const BARE_BEFORE: ReadonlySet<string> = new Set(["=", "(", ",", "[", ":", "return"]);
const BARE_AFTER: ReadonlySet<string> = new Set([";", ",", ")", "]", "}"]);

/** JavaScript and TypeScript. @param expression what to write instead; null: the variable with the address as its default. */
export function scriptVerdicts(
  text: string,
  matches: readonly Match[],
  expression: string | null,
  typed: boolean,
): readonly Verdict[] {
  const tokens = scriptTokens(text);
  if (!tokens) return matches.map((match) => ({ match, left: LEFT.syntax }));
  return matches.map((match): Verdict => {
    const edit = editOf(tokens, match, expression, typed);
    return typeof edit === "string" ? { match, left: edit } : { match, edits: [edit] };
  });
}

function editOf(tokens: readonly Token[], match: Match, expression: string | null, typed: boolean): Edit | string {
  const at = tokenAt(tokens, match.at);
  const token = tokens[at];
  if (!token) return LEFT.syntax;
  if (token.kind === "comment") return LEFT.comment;
  if (token.kind === "chunk") return inTemplate(tokens, at, match, expression, typed);
  if (token.kind !== "text") return LEFT.syntax;
  if (!isPlace(tokens, at, typed)) return LEFT.place;
  if (match.at !== token.start + 1) return LEFT.text;
  if (!match.whole) return LEFT.bare;
  if (token.text.includes("\\")) return LEFT.escaped;
  return instead(tokens, at, match, expression);
}

function valueFor(match: Match, expression: string | null): string {
  return expression ?? `process.env.OLLAMA_HOST ?? "${match.text}"`;
}

function instead(tokens: readonly Token[], at: number, match: Match, expression: string | null): Edit | string {
  const { start = 0, end = 0, text = "" } = tokens[at] ?? {};
  const rest = text.slice(1 + match.text.length, -1);
  const value = valueFor(match, expression);
  if (rest !== "") {
    if (/`|\$\{/.test(rest)) return LEFT.escaped;
    return { start, end, text: `\`\${${value}}${rest}\`` };
  }
  const bare = BARE_BEFORE.has(previous(tokens, at)?.text ?? "") && BARE_AFTER.has(next(tokens, at)?.text ?? "");
  return { start, end, text: bare ? value : `(${value})` };
}

function inTemplate(
  tokens: readonly Token[],
  at: number,
  match: Match,
  expression: string | null,
  typed: boolean,
): Edit | string {
  const begin = templateBegin(tokens, at);
  // Behind a name it is that function's, which may take the parts for something else.
  const tag = previous(tokens, begin);
  const tagged = tag?.kind === "word" ? !BEFORE.has(tag.text) : [")", "]"].includes(tag?.text ?? "");
  if (tagged || (typed && isInTypes(tokens, begin))) return LEFT.place;
  if (!match.whole) return LEFT.bare;
  if (tokens[at]?.text.includes("\\")) return LEFT.escaped;
  return { start: match.at, end: match.at + match.text.length, text: `\${${valueFor(match, expression)}}` };
}

/** Back over whole templates that stand in this one. */
function templateBegin(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let index = at - 1; index >= 0; index--) {
    const token = tokens[index];
    if (token?.kind !== "mark" || token.text !== "`") continue;
    if (token.inside === "`") depth++;
    else if (depth-- === 0) return index;
  }
  return 0;
}

function isPlace(tokens: readonly Token[], at: number, typed: boolean): boolean {
  const before = previous(tokens, at);
  const after = next(tokens, at)?.text ?? "";
  if (!before || tokens[at]?.inside === "types") return false;
  // A key, the name of a method, or a type that is written out.
  if (after === "(" || (after === ":" && before.text === ",") || (typed && ["as", "satisfies"].includes(after)))
    return false;
  if (typed && isInTypes(tokens, at)) return false;
  if (before.text === ":") return !typed || tokens[at]?.inside === "object";
  return BEFORE.has(before.text);
}

/** What begins with these, or has `<` in it, may be a type: told apart only by reading the whole language. */
function isInTypes(tokens: readonly Token[], at: number): boolean {
  if (tokens[at]?.inside === "types") return true;
  const start = tokens
    .slice(0, at)
    .findLastIndex(({ text, kind }) => kind === "mark" && (text === ";" || text === "{" || text === "}"));
  return tokens
    .slice(start + 1, at)
    .some(
      ({ text, kind }, index, run) =>
        (kind === "mark" && text === "<") || (kind === "word" && OF_TYPES.has(text) && run[index + 1]?.kind === "word"),
    );
}

function previous(tokens: readonly Token[], at: number): Token | undefined {
  return tokens.slice(0, at).findLast(({ kind }) => kind !== "comment");
}

function next(tokens: readonly Token[], at: number): Token | undefined {
  return tokens.slice(at + 1).find(({ kind }) => kind !== "comment");
}
