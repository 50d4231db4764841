import { LEFT, type Verdict } from "./edit.ts";
import type { Match } from "./match.ts";

/** Where a part of a script stands. */
type Place = "plain" | "double" | "single" | "comment" | "heredoc" | "expansion";

interface Region {
  readonly start: number;
  readonly place: Place;
}

/** What stands on such a line may be meant for another machine, whose localhost is another. */
const ELSEWHERE = /\b(?:ssh|docker|podman|kubectl|nerdctl|multipass|limactl|vagrant)\b/;

/** sh, bash and zsh. @param expression what to write instead; null: the variable with the address as its default. */
export function shellVerdicts(text: string, matches: readonly Match[], expression: string | null): readonly Verdict[] {
  const regions = regionsOf(text);
  return matches.map((match): Verdict => {
    const place = regions?.findLast(({ start }) => start <= match.at)?.place;
    const left = place === undefined ? LEFT.syntax : whyLeft(text, match, place);
    if (left !== null) return { match, left };
    const value = expression ?? `\${OLLAMA_HOST:-${match.text}}`;
    const written = place === "plain" ? `"${value}"` : value;
    return { match, edits: [{ start: match.at, end: match.at + match.text.length, text: written }] };
  });
}

const PLACES_LEFT: Readonly<Partial<Record<Place, string>>> = {
  comment: LEFT.comment,
  single: "in single quotes, where nothing is replaced",
  heredoc: "in a here-document",
  expansion: LEFT.place,
};

function whyLeft(text: string, match: Match, place: Place): string | null {
  const left = PLACES_LEFT[place];
  if (left !== undefined) return left;
  if (!match.whole) return LEFT.bare;
  return ELSEWHERE.test(lineAround(text, match.at)) ? "on a line that may be meant for another machine" : null;
}

function lineAround(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(text.lastIndexOf("\n", at - 1) + 1, end < 0 ? text.length : end);
}

/** Null for what ends inside of something: then nothing of it is understood. */
function regionsOf(text: string): readonly Region[] | null {
  const scanner = new Scanner(text);
  return scanner.run() ? scanner.regions : null;
}

/** Walks through a script once, and knows at each character in which quotes it is. */
class Scanner {
  readonly regions: Region[] = [{ start: 0, place: "plain" }];
  readonly #text: string;
  #at = 0;
  /** What is open, innermost last: a quote, `$(`, `${`, a backtick, `((`. */
  readonly #open: string[] = [];
  /** Here-documents that begin with the next line. */
  #waiting: { word: string; tabs: boolean }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): boolean {
    while (this.#at < this.#text.length) if (!this.#step()) return false;
    return this.#open.length === 0 && this.#waiting.length === 0;
  }

  get #inner(): string {
    return this.#open.at(-1) ?? "";
  }

  #step(): boolean {
    const character = this.#text[this.#at] ?? "";
    if (character === "\\") return this.#move(2);
    if (this.#inner === '"') return this.#inDouble(character);
    if (this.#inner === "${") return this.#inExpansion(character);
    return this.#inPlain(character);
  }

  #inDouble(character: string): boolean {
    if (character === '"') return this.#close();
    return this.#substitution(character) || this.#move(1);
  }

  #inExpansion(character: string): boolean {
    if (character === "}") return this.#close();
    if (character === "'" || character === '"') return character === "'" ? this.#single() : this.#begin('"', 1);
    return this.#substitution(character) || this.#move(1);
  }

  #inPlain(character: string): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 3);
    if (character === "'") return this.#single();
    if (character === '"') return this.#begin('"', 1);
    if (character === "#" && /[\s;&|(]|^$/.test(this.#text[this.#at - 1] ?? "")) return this.#comment();
    if (character === "\n" && this.#waiting.length > 0) return this.#heredocs();
    if (rest.startsWith("<<") && rest !== "<<<" && this.#inner !== "((") return this.#heredocWord();
    if (rest === "<<<") return this.#move(3);
    if (this.#substitution(character)) return true;
    if (character === "(") return this.#begin("(", 1);
    // A pattern of `case` ends with one that nothing opened.
    if (character === ")" && (this.#inner === "(" || this.#inner === "$(")) return this.#close();
    return this.#move(1);
  }

  #substitution(character: string): boolean {
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (two === "$'" && this.#inner !== '"') return this.#move(1) && this.#single(true);
    if (two === "${") return this.#begin("${", 2);
    if (two === "$(") return this.#begin("$(", 2);
    if (character !== "`") return false;
    return this.#inner === "`" ? this.#close() : this.#begin("`", 1);
  }

  #move(by: number): boolean {
    this.#at += by;
    return true;
  }

  #begin(what: string, length: number): boolean {
    this.#open.push(what);
    this.#at += length;
    return this.#mark();
  }

  #close(): boolean {
    this.#open.pop();
    this.#at += 1;
    return this.#mark();
  }

  #mark(): boolean {
    this.regions.push({ start: this.#at, place: PLACES[this.#inner] ?? "plain" });
    return true;
  }

  #single(escapes = false): boolean {
    let end = this.#at + 1;
    for (; end < this.#text.length && this.#text[end] !== "'"; end++) if (escapes && this.#text[end] === "\\") end++;
    if (end >= this.#text.length) return false;
    this.regions.push({ start: this.#at, place: "single" });
    this.#at = end + 1;
    return this.#mark();
  }

  #comment(): boolean {
    this.regions.push({ start: this.#at, place: "comment" });
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
    return this.#mark();
  }

  #heredocWord(): boolean {
    const found = /^<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([\w.-]+))/.exec(
      this.#text.slice(this.#at, this.#at + 200),
    );
    if (!found) return false;
    this.#waiting.push({ word: found[2] ?? found[3] ?? found[4] ?? "", tabs: found[1] === "-" });
    return this.#move(found[0].length);
  }

  #heredocs(): boolean {
    this.#at += 1;
    this.regions.push({ start: this.#at, place: "heredoc" });
    for (const { word, tabs } of this.#waiting.splice(0)) {
      let line = this.#line();
      while (line !== null && (tabs ? line.replace(/^\t+/, "") : line) !== word) line = this.#line();
      if (line === null) return false;
    }
    return this.#mark();
  }

  /** The next line, without its end; null behind the last. */
  #line(): string | null {
    if (this.#at >= this.#text.length) return null;
    const end = this.#text.indexOf("\n", this.#at);
    const line = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return line.replace(/\r$/, "");
  }
}

const PLACES: Readonly<Record<string, Place>> = { '"': "double", "${": "expansion" };
