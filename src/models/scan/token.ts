/** A piece of a program: enough of one to know where a text stands. */
export interface Token {
  readonly kind: "word" | "mark" | "text" | "chunk" | "comment" | "newline";
  readonly start: number;
  readonly end: number;
  /** As it is written. */
  readonly text: string;
  /** What it stands in; set by the language's reader. */
  readonly inside: string;
}

/** The token that has this character; -1 for none. */
export function tokenAt(tokens: readonly Token[], at: number): number {
  return tokens.findIndex(({ start, end }) => start <= at && at < end);
}
