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
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      version: "1.2",
      merge: false,
    });
    this.root = this.#document.contents;
    this.problems = [...this.#document.errors, ...this.#document.warnings].map((error) => this.#syntax(error));
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
    return {
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      message: `This is not YAML: ${truncate(oneLine(error.message), 160)}.`,
      allowed: "Two spaces a level, `key: value`, lists with `- `.",
    };
  }
}

/** A value as a person would name it in a message. */
export function shown(node: Node | null): string {
  if (isScalar(node))
    return node.value === null ? "nothing" : `"${truncate(oneLine(String(node.source ?? node.value)), 40)}"`;
  return isMap(node) ? "a set of keys" : "a list";
}
