import type { Token } from "./token.ts";

const STRING = /([A-Za-z]{0,2})("""|'''|"|')/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*|\d[\w.]*/uy;
const SPACE = /[ \t\f\r]+|\\\r?\n/y;
const MARK = /\*\*=|\/\/=|>>=|<<=|\.\.\.|[-+*/%&|^=<>!:@]=|->|\*\*|\/\/|<<|>>|[^\s\w]/uy;
const CLOSES: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** The tokens of a Python file, line ends among them where they end a statement. Null where it is not understood. */
export function pythonTokens(text: string): readonly Token[] | null {
  const reader = new Reader(text);
  return reader.run() ? reader.tokens : null;
}

class Reader {
  readonly tokens: Token[] = [];
  readonly #text: string;
  #at = 0;
  readonly #open: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): boolean {
    while (this.#at < this.#text.length) if (!this.#step()) return false;
    return this.#open.length === 0;
  }

  #step(): boolean {
    const [text, at] = [this.#text, this.#at];
    const space = matched(SPACE, text, at);
    if (space !== null) return this.#to(at + space.length);
    if (text[at] === "\n") return this.#open.length > 0 ? this.#to(at + 1) : this.#add("newline", at + 1);
    if (text[at] === "#") return this.#add("comment", lineEnd(text, at));
    if (matched(STRING, text, at) !== null) return this.#add("text", stringEnd(text, at));
    const word = matched(WORD, text, at);
    if (word !== null) return this.#add("word", at + word.length);
    const mark = matched(MARK, text, at);
    return mark !== null && this.#mark(mark);
  }

  #mark(mark: string): boolean {
    const opener = CLOSES[mark];
    if (opener !== undefined && this.#open.pop() !== opener) return false;
    this.#add("mark", this.#at + mark.length);
    if (mark === "(" || mark === "[" || mark === "{") this.#open.push(mark);
    return true;
  }

  /** @param end null: it has none. */
  #add(kind: Token["kind"], end: number | null): boolean {
    if (end === null) return false;
    const start = this.#at;
    this.tokens.push({ kind, start, end, text: this.#text.slice(start, end), inside: this.#open.at(-1) ?? "" });
    return this.#to(end);
  }

  #to(at: number): boolean {
    this.#at = at;
    return true;
  }
}

function matched(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Parts of an f-string that are code may have quotes of their own: then the end found here is too early, and what follows fails. */
function stringEnd(text: string, start: number): number | null {
  STRING.lastIndex = start;
  const [all = "", , quote = ""] = STRING.exec(text) ?? [];
  for (let at = start + all.length; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text.startsWith(quote, at)) return at + quote.length;
    else if (text[at] === "\n" && quote.length === 1) return null;
  }
  return null;
}
