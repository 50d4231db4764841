import { Reader, tokensOf } from "./reader.ts";
import type { Token } from "./token.ts";

/**
 * The tokens of JavaScript and TypeScript without JSX, with what each stands in: `object`, `block`, `types`, `(`, `[`, `template`
 * or nothing. Null where it is not understood: something stays open, or there are tags in it.
 */
export function scriptTokens(text: string): readonly Token[] | null {
  return tokensOf(new ScriptReader(text));
}

const SPACE = /[\s\uFEFF]+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|#![^\n]*/y;
const WORD = /[\p{L}_$#@][\p{L}\p{N}_$]*|\d[\w.]*/uy;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const REGEXP = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const MARK =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|\*\*|<<|>>|[-+*/%&|^]=|[^\s\w]/uy;
const CLOSES: Readonly<Record<string, readonly string[]>> = {
  ")": ["("],
  "]": ["["],
  "}": ["object", "block", "types", "${"],
};
/** Behind these a `{` begins a value. */
const BEFORE_OBJECT: ReadonlySet<string> = new Set([
  ...["=", "(", ",", "[", "??", "||", "&&", "?", "...", "return", "default"],
]);
/** Behind these a `/` begins a pattern. */
const BEFORE_REGEXP: ReadonlySet<string> = new Set([
  ...["return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "throw", "new", "await", "yield"],
]);

class ScriptReader extends Reader {
  get #before(): Token | undefined {
    return this.tokens.findLast(({ kind }) => kind !== "comment");
  }

  protected override step(): boolean {
    if (this.inside === "`") return this.#chunk();
    const space = this.matched(SPACE);
    if (space !== null) return this.skip(space.length);
    const comment = this.matched(COMMENT);
    if (comment !== null && (!comment.startsWith("#!") || this.at === 0)) return this.add("comment", comment);
    const string = this.matched(STRING);
    if (string !== null) return this.add("text", string);
    if (this.text[this.at] === "`") return this.add("mark", "`") && this.push("`");
    const word = this.matched(WORD);
    if (word !== null) return this.add("word", word);
    const pattern = this.#mayBePattern() ? this.matched(REGEXP) : null;
    if (pattern !== null) return this.add("word", pattern);
    const mark = this.matched(MARK);
    // A quote here has no end on its line.
    return mark !== null && mark !== '"' && mark !== "'" && this.#mark(mark);
  }

  #mayBePattern(): boolean {
    const before = this.#before;
    if (this.text[this.at] !== "/" || !before) return this.text[this.at] === "/";
    if (before.kind === "mark") return ![")", "]", "}", "`", "++", "--"].includes(before.text);
    return before.kind === "word" && BEFORE_REGEXP.has(before.text);
  }

  #mark(mark: string): boolean {
    const before = this.#before?.text ?? "";
    // A tag ends so: what stands between tags is no program.
    if ((mark === ">" && before === "/") || (mark === "/" && before === "<")) return false;
    const openers = CLOSES[mark];
    if (openers) {
      const opener = this.pop();
      if (!openers.includes(opener)) return false;
      // The rest of a template follows.
      return opener === "${" ? this.skip(1) : this.add("mark", mark);
    }
    if (mark === "{") return this.#brace(before);
    return this.add("mark", mark) && (mark === "(" || mark === "[" ? this.push(mark) : true);
  }

  #brace(before: string): boolean {
    const kind = this.#isOfTypes() ? "types" : this.#isObject(before) ? "object" : "block";
    return this.add("mark", "{") && this.push(kind);
  }

  #isObject(before: string): boolean {
    if (before === ":") return this.inside === "object";
    // `Map<string, {…}>` is a type.
    if (before === ",") return !this.#statement().some(({ kind, text }) => kind === "mark" && text === "<");
    return BEFORE_OBJECT.has(before);
  }

  /** In what TypeScript alone has: `interface`, `enum`, `type X =`, and all within. */
  #isOfTypes(): boolean {
    if (this.inside === "types") return true;
    return this.#statement().some(
      ({ text, kind }, at, run) => kind === "word" && OF_TYPES.has(text) && run[at + 1]?.kind === "word",
    );
  }

  /** What stands since the last statement or block began or ended. */
  #statement(): readonly Token[] {
    const start = this.tokens.findLastIndex(({ kind, text }) => kind === "mark" && /^[;{}]$/.test(text));
    return this.tokens.slice(start + 1);
  }

  #chunk(): boolean {
    for (let at = this.at; at < this.text.length; at++) {
      const two = this.text.slice(at, at + 2);
      if (two[0] === "\\") at++;
      else if (two[0] === "`" || two === "${") return this.#endChunk(this.text.slice(this.at, at), two);
    }
    return false;
  }

  #endChunk(text: string, end: string): boolean {
    if (text !== "") this.add("chunk", text, "template");
    if (end === "${") return this.skip(2) && this.push("${");
    // Its end stands in the template, its begin in what is around it.
    this.add("mark", "`");
    this.pop();
    return true;
  }
}

export const OF_TYPES: ReadonlySet<string> = new Set(["type", "interface", "enum", "declare", "namespace"]);
