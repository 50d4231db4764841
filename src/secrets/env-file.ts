import { readFileSync } from "node:fs";
import { usage } from "../kit/errors.ts";
import { oneLine } from "../kit/text.ts";

/** A variable's name, as every shell takes it. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const HOW = 'A line is NAME=value, NAME=\'as it is\' or NAME="with \\n, \\" and more lines"; # begins a comment.';

/** Reads a file of variables. Nothing in it is run or expanded. Throws a usage error that names the line, never its value. */
export function readEnvFile(file: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw usage(`The file of variables ${oneLine(file)} cannot be read (${code}).`, "Check its path and permissions.");
  }
  return parseEnvFile(text, file);
}

/** A value in quotes may go over several lines; what stands behind it must be a comment. */
const LINE =
  /[ \t]*(?:export[ \t]+)?([^\s=#'"]+)[ \t]*=[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\n'"][^\n]*?|))[ \t]*(?:(?<=[\s'"=])#[^\n]*)?(?:\n|$)/y;
const EMPTY = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;

export function parseEnvFile(text: string, file: string): Map<string, string> {
  const source = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  const found = new Map<string, string>();
  for (let at = 0; at < source.length; ) {
    EMPTY.lastIndex = at;
    if (EMPTY.test(source) && EMPTY.lastIndex > at) {
      at = EMPTY.lastIndex;
      continue;
    }
    LINE.lastIndex = at;
    const match = LINE.exec(source);
    const [, name = "", single, double, bare] = match ?? [];
    if (!match || !NAME.test(name))
      throw usage(`Line ${lineAt(source, at)} of ${oneLine(file)} is not a variable and its value.`, HOW);
    found.set(name, single ?? (double === undefined ? (bare ?? "") : readEscapes(double)));
    at = LINE.lastIndex;
  }
  return found;
}

function lineAt(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$", "`": "`" };

function readEscapes(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (whole, sign: string) => ESCAPES[sign] ?? whole);
}

/** `VAR=bw://…`, as flags take it. Throws a usage error. */
export function parseAssignment(raw: string): { name: string; value: string } {
  const at = raw.indexOf("=");
  const name = at < 0 ? raw : raw.slice(0, at);
  // Only what is before the = is said again: someone may have typed the secret itself.
  if (at < 0 || !NAME.test(name))
    throw usage(
      at < 0 ? "A variable was given without a reference." : `"${oneLine(name)}" is not the name of a variable.`,
      "Type VAR=bw://ITEM/FIELD, and -- before the command to run.",
    );
  return { name, value: raw.slice(at + 1) };
}
