import { type Edit, LEFT, type Verdict } from "./edit.ts";
import type { Match } from "./match.ts";
import { pythonTokens } from "./python-tokens.ts";
import { type Token, tokenAt } from "./token.ts";

/** What a text may stand behind so that any expression may stand there. */
const BEFORE: ReadonlySet<string> = new Set([
  ...["=", "(", ",", "[", "+", "==", "!=", "return", "or", "and", "in", "if", "else", "not", "yield", "await"],
]);

/** Python. @param expression what to write instead; null: the variable with the address as its default. */
export function pythonVerdicts(text: string, matches: readonly Match[], expression: string | null): readonly Verdict[] {
  const tokens = pythonTokens(text);
  if (!tokens) return matches.map((match) => ({ match, left: LEFT.syntax }));
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const importing = expression === null ? importOf(tokens, lineEnd) : { edit: null, from: 0 };
  return matches.map((match): Verdict => {
    const edit = editOf(tokens, match, expression);
    if (typeof edit === "string") return { match, left: edit };
    if (!importing) return { match, left: "there is no place that is known to be right for `import os`" };
    if (edit.start < importing.from) return { match, left: "it stands before the imports" };
    return { match, edits: importing.edit ? [importing.edit, edit] : [edit] };
  });
}

function editOf(tokens: readonly Token[], match: Match, expression: string | null): Edit | string {
  const at = tokenAt(tokens, match.at);
  const token = tokens[at];
  if (!token) return LEFT.syntax;
  if (token.kind === "comment") return LEFT.comment;
  const [, prefix = "", quote = ""] = /^([A-Za-z]*)("""|'''|"|')/.exec(token.text) ?? [];
  if (token.kind !== "text") return LEFT.syntax;
  const first = token.start + prefix.length + quote.length;
  if (!isPlace(tokens, at)) return LEFT.place;
  if (match.at !== first) return LEFT.text;
  if (!match.whole) return LEFT.bare;
  if (token.text.includes("\\")) return LEFT.escaped;
  const formatted = prefix.toLowerCase() === "f";
  if (prefix !== "" && !formatted) return `in a text with the prefix ${prefix}`;
  if (quote.length === 3) return "in a text of several lines";
  return formatted ? insideFormatted(match, quote, expression) : instead(token, match, quote, expression);
}

function insideFormatted({ at, text }: Match, quote: string, expression: string | null): Edit | string {
  // Before 3.12 the quotes of the text itself may not stand in it.
  const other = quote === '"' ? "'" : '"';
  const value = expression ?? `os.environ.get(${other}OLLAMA_HOST${other}, ${other}${text}${other})`;
  if (value.includes(quote)) return "the expression has the quotes of the text that it would stand in";
  return { start: at, end: at + text.length, text: `{${value}}` };
}

function instead({ start, end, text }: Token, match: Match, quote: string, expression: string | null): Edit {
  const rest = text.slice(1 + match.text.length, -1);
  const value = expression ?? `os.environ.get(${quote}OLLAMA_HOST${quote}, ${quote}${match.text}${quote})`;
  if (rest === "" && expression === null) return { start, end, text: value };
  return { start, end, text: rest === "" ? `(${value})` : `(${value} + ${quote}${rest}${quote})` };
}

/** True where any expression may stand: not for a docstring, an annotation, a pattern, or a part of a longer text. */
function isPlace(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  const before = tokens.slice(0, at).findLast(({ kind }) => kind !== "comment");
  const after = tokens.slice(at + 1).find(({ kind }) => kind !== "comment");
  if (!token || !before || after?.kind === "text") return false;
  const line = tokens.slice(0, at).findLastIndex(({ kind }) => kind === "newline");
  const statement = tokens.slice(line + 1, at).map(({ text }) => text);
  if (statement[0] === "case" || statement.includes("Literal")) return false;
  if (before.text === ":" || before.text === "{") return token.inside === "{";
  return BEFORE.has(before.text);
}

interface Importing {
  /** Null: it is imported already. */
  readonly edit: Edit | null;
  /** From here on `os` is known. */
  readonly from: number;
}

/** Where `os` becomes known at the top of the file; null where that is not safely so. */
function importOf(tokens: readonly Token[], lineEnd: string): Importing | null {
  const statements = topStatements(tokens);
  if (tokens.some(({ text }, at) => text === "os" && tokens[at + 1]?.text === "=")) return null;
  for (const words of statements) {
    const at = words.findIndex(({ text }) => text === "os");
    const named = at > 0 && [",", "import"].includes(words[at - 1]?.text ?? "") && words[at + 1]?.text !== ".";
    if (words[0]?.text === "import" && named && words[at + 1]?.text !== "as")
      return { edit: null, from: words.at(-1)?.end ?? 0 };
  }
  const first = statements.find(
    ([one, two]) => one?.text === "import" || (one?.text === "from" && two?.text !== "__future__"),
  )?.[0];
  return first
    ? { edit: { start: first.start, end: first.start, text: `import os${lineEnd}` }, from: first.start }
    : null;
}

/** The statements that begin at the left edge. */
function topStatements(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "newline") statements.push([]);
    else if (token.kind !== "comment") statements.at(-1)?.push(token);
  }
  return statements.filter((words, at) => {
    const [first] = words;
    if (!first) return false;
    const before = at === 0 ? null : tokens.findLast(({ kind, end }) => kind === "newline" && end <= first.start);
    return first.start === (before?.end ?? 0);
  });
}
