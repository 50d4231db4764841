import { Reader, tokensOf } from "./reader.ts";
import type { Token } from "./token.ts";

const STRING = /([A-Za-z]{0,2})("""|'''|"|')/y;
const COMMENT = /#[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*|\d[\w.]*/uy;
const SPACE = /[ \t\f\r]+|\\\r?\n/y;
const MARK = /\*\*=|\/\/=|>>=|<<=|\.\.\.|[-+*/%&|^=<>!:@]=|->|\*\*|\/\/|<<|>>|[^\s\w]/uy;
const CLOSES: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** The tokens of a Python file, line ends among them where they end a statement. Null where it is not understood. */
export function pythonTokens(text: string): readonly Token[] | null {
  return tokensOf(new PythonReader(text));
}

class PythonReader extends Reader {
  protected override step(): boolean {
    const space = this.matched(SPACE);
    if (space !== null) return this.skip(space.length);
    // Between brackets a line may end anywhere.
    if (this.text[this.at] === "\n") return this.inside === "" ? this.add("newline", "\n") : this.skip(1);
    const comment = this.matched(COMMENT);
    if (comment !== null) return this.add("comment", comment);
    if (this.matched(STRING) !== null) return this.#string();
    const word = this.matched(WORD);
    if (word !== null) return this.add("word", word);
    const mark = this.matched(MARK);
    return mark !== null && this.#mark(mark);
  }

  #mark(mark: string): boolean {
    const opener = CLOSES[mark];
    if (opener !== undefined && this.pop() !== opener) return false;
    this.add("mark", mark);
    return mark === "(" || mark === "[" || mark === "{" ? this.push(mark) : true;
  }

  /** Parts of an f-string that are code may have quotes of their own: then the end found here is too early, and what follows fails. */
  #string(): boolean {
    STRING.lastIndex = this.at;
    const [all = "", , quote = ""] = STRING.exec(this.text) ?? [];
    for (let at = this.at + all.length; at < this.text.length; at++) {
      if (this.text[at] === "\\") at++;
      else if (this.text.startsWith(quote, at)) return this.add("text", this.text.slice(this.at, at + quote.length));
      else if (this.text[at] === "\n" && quote.length === 1) return false;
    }
    return false;
  }
}
