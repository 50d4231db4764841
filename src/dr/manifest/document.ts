import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Problem } from "./problems.ts";

/** Where something stands in a value: keys and indexes. */
export type Path = readonly (string | number)[];

/** A YAML file, and what was found wrong in it. */
export class YamlFile {
  readonly root: Node | null;
  readonly problems: Problem[];
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();

  /** YAML 1.2 alone, so that `no` is a text and `1:30` no number. Keys that stand twice are found by the reader. */
  constructor(text: string) {
    this.#document = parseDocument(text.replace(/^\ufeff/, ""), {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      version: "1.2",
      merge: false,
    });
    this.root = this.#document.contents;
    // What is nested too deeply is followed by one more for each level.
    const errors = [...this.#document.errors, ...this.#document.warnings];
    const tooDeep = errors.find(isTooDeep);
    this.problems = (tooDeep ? [tooDeep] : withoutEchoes(errors)).map((error) => this.#syntax(error));
  }

  /** Nothing but comments, or the word null. */
  get isEmpty(): boolean {
    return this.root === null || (isScalar(this.root) && this.root.value === null);
  }

  add(node: Node | null, message: string, allowed: string): void {
    this.#addAt(node?.range?.[0] ?? 0, message, allowed);
  }

  /** Says what is wrong with the value at `path`, or, where that is not written, with what it would stand in. */
  addAt(path: Path, message: string, allowed: string): void {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.root : this.#document.getIn(path.slice(0, length), true);
      if (!isNode(node)) continue;
      this.add(node, message, allowed);
      return;
    }
    this.add(null, message, allowed);
  }

  /** The line of a value, from 1. */
  lineAt(path: Path): number {
    const node = this.#document.getIn(path, true);
    return this.#lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
  }

  lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  #addAt(offset: number, message: string, allowed: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), message, allowed });
  }

  #syntax(error: YAMLError): Problem {
    const { line, col } = this.#lines.linePos(error.pos[0]);
    return { line: Math.max(line, 1), column: Math.max(col, 1), ...said(error) };
  }
}

/** The parser gives up by the engine's own error. */
function isTooDeep({ code, message }: YAMLError): boolean {
  return code === "RESOURCE_EXHAUSTION" || message.startsWith("Maximum call stack");
}

/** A tab makes the parser lose its place: what it says after it is of the same fault. One a line is said of tabs. */
function withoutEchoes(errors: readonly YAMLError[]): readonly YAMLError[] {
  return errors.some(isTab) ? errors.filter(isTab) : errors;
}

function isTab({ code }: YAMLError): boolean {
  return code === "TAB_AS_INDENT";
}

function said(error: YAMLError): Pick<Problem, "message" | "allowed"> {
  if (isTooDeep(error))
    return { message: "This is nested too deeply for a manifest.", allowed: "A manifest has six levels at most." };
  if (error.code === "MULTIPLE_DOCS")
    return {
      message: "A second document begins here.",
      allowed: "A manifest is one document: leave out this --- and what belongs to another file.",
    };
  if (error.code === "TAB_AS_INDENT")
    return { message: "A tab stands at the beginning of this line.", allowed: "Indent by spaces, two a level." };
  return {
    message: `This is not YAML: ${truncate(oneLine(error.message), 160)}.`,
    allowed: "Two spaces a level, `key: value`, lists with `- `.",
  };
}

/** A value as a person would name it in a message. */
export function shown(node: Node | null): string {
  if (node === null) return "nothing";
  if (isScalar(node))
    return node.value === null ? "nothing" : `"${truncate(oneLine(String(node.source ?? node.value)), 40)}"`;
  return isMap(node) ? "a set of keys" : "a list";
}
