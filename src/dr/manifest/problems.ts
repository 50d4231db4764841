import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** One thing wrong in a manifest. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** What is wrong, a sentence. */
  readonly message: string;
  /** What is allowed or to be typed, a sentence. */
  readonly allowed: string;
}

/** Lines that a person gets at once; `--json` has all. */
const MOST = 50;

/** Everything that is wrong with a manifest, in the order of the file. Exit 64. */
export class ManifestError extends Exit {
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const lines = sorted.slice(0, MOST).map((problem) => problemLine(file, problem));
    if (sorted.length > MOST) lines.push(`… and ${sorted.length - MOST} more.`);
    const count = sorted.length === 1 ? "One thing is" : `${sorted.length} things are`;
    super(EXIT.usage, "manifest", `${count} wrong in ${file}:`, "Correct the file; nothing was done.", {
      lines,
      details: { problems: sorted },
    });
    this.name = "ManifestError";
    this.file = file;
    this.problems = sorted;
  }
}

/** `FILE:LINE:COLUMN: what is wrong. What is allowed.` Editors and terminals make a link of its beginning. */
export function problemLine(file: string, { line, column, message, allowed }: Problem): string {
  return `${file}:${line}:${column}: ${message} ${allowed}`;
}
