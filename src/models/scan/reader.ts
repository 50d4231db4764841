import type { Token } from "./token.ts";

/** What reads the tokens of one language off a text: a subclass is its grammar, one step a token. */
export abstract class Reader {
  readonly tokens: Token[] = [];
  protected readonly text: string;
  protected at = 0;
  /** What is open around here, the outermost first. */
  readonly #open: string[] = [];

  constructor(text: string) {
    this.text = text;
  }

  /** @returns false where the text is not understood: no token fits, or something stays open at its end. */
  run(): boolean {
    while (this.at < this.text.length) if (!this.step()) return false;
    return this.#open.length === 0;
  }

  /** Reads on by one token, or by what is none. @returns false where nothing fits. */
  protected abstract step(): boolean;

  /** What is open innermost; nothing is "". */
  protected get inside(): string {
    return this.#open.at(-1) ?? "";
  }

  /** @param pattern sticky. @returns what stands here and fits; null for nothing. */
  protected matched(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? null;
  }

  protected skip(length: number): boolean {
    this.at += length;
    return true;
  }

  /** A token that begins here, and belongs to what is open now. @param inside where that is something else. */
  protected add(kind: Token["kind"], text: string, inside = this.inside): boolean {
    this.tokens.push({ kind, start: this.at, end: this.at + text.length, text, inside });
    return this.skip(text.length);
  }

  protected push(what: string): boolean {
    this.#open.push(what);
    return true;
  }

  protected pop(): string {
    return this.#open.pop() ?? "";
  }
}

/** The tokens of a whole text; null where it is not understood. */
export function tokensOf(reader: Reader): readonly Token[] | null {
  return reader.run() ? reader.tokens : null;
}
