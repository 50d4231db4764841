import { readFileSync, statSync } from "node:fs";
import type { Context } from "../../kit/context.ts";
import { applied, isEdit, type Verdict } from "./edit.ts";
import { adviceFor, type Language, languageOf } from "./language.ts";
import { matchesIn } from "./match.ts";
import { filesBelow } from "./tree.ts";
import { type Instead, verdictsFor } from "./verdicts.ts";

/** Bytes; what is longer was made by a program. */
const LARGEST = 4 * 2 ** 20;
/** A line of a bundle is not shown whole. */
const SHOWN = 240;

/** A file in which addresses are hard-coded. */
export interface ScannedFile {
  readonly file: string;
  readonly language: Language;
  readonly before: string;
  /** With all that can be rewritten. */
  readonly after: string;
  readonly finds: readonly Find[];
}

export interface Find {
  /** From 1; the column in characters. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly match: string;
  /** Null: it can be rewritten. */
  readonly left: string | null;
  readonly advice: string;
}

export interface Scan {
  /** @param file absolute. */
  found(file: ScannedFile): Promise<void>;
  /** A file that is not looked at. */
  passed(why: "large" | "unreadable"): void;
}

/** Looks through files and folders, one file after the other. @param paths absolute. */
export async function scanPaths(
  context: Context,
  paths: readonly string[],
  instead: Instead,
  scan: Scan,
): Promise<void> {
  const seen = new Set<string>();
  for (const path of paths)
    for await (const file of filesBelow(context, path)) {
      if (seen.has(file)) continue;
      seen.add(file);
      const scanned = scanFile(file, instead, scan);
      if (scanned) await scan.found(scanned);
    }
}

function scanFile(file: string, instead: Instead, scan: Scan): ScannedFile | null {
  let bytes: Buffer;
  try {
    if (statSync(file).size > LARGEST) {
      scan.passed("large");
      return null;
    }
    bytes = readFileSync(file);
  } catch {
    scan.passed("unreadable");
    return null;
  }
  // Nearly every file ends here, before it is a text.
  if (!bytes.includes(":11434") || bytes.subarray(0, 8192).includes(0)) return null;
  const text = bytes.toString("utf8");
  const matches = matchesIn(text);
  if (matches.length === 0) return null;
  const language = languageOf(file, text);
  // What is no UTF-8 would be written back otherwise than it was.
  const isWhole = Buffer.from(text, "utf8").equals(bytes);
  const verdicts = isWhole
    ? verdictsFor(language, text, matches, instead)
    : matches.map((match) => ({ match, left: "the file is not UTF-8" }));
  const finds = findsOf(text, verdicts, adviceFor(file, language));
  const after = applied(
    text,
    verdicts.flatMap((verdict) => (isEdit(verdict) ? verdict.edits : [])),
  );
  return { file, language, before: text, after, finds };
}

function findsOf(text: string, verdicts: readonly Verdict[], advice: string): readonly Find[] {
  let [line, start] = [1, 0];
  return verdicts.map((verdict) => {
    const { at, text: match } = verdict.match;
    for (let end = text.indexOf("\n", start); end >= 0 && end < at; end = text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    const end = text.indexOf("\n", at);
    const whole = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, "");
    const from = whole.length <= SHOWN ? 0 : Math.max(0, at - start - SHOWN / 2);
    const left = isEdit(verdict) ? null : verdict.left;
    return { line, column: at - start + 1, text: whole.slice(from, from + SHOWN), match, left, advice };
  });
}
