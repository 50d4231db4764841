import { isUtf8 } from "node:buffer";
import { ManifestError } from "./problems.ts";

const NEWLINE = 0x0a;

/** The text of a file in UTF-8, with or without a mark at its beginning. Throws ManifestError where another encoding begins. */
export function utf8(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const lines = linesOf(bytes);
  const at = lines.findIndex((line) => !isUtf8(line));
  const first = lines[at] ?? bytes;
  const message = isUtf16(bytes)
    ? "The file is UTF-16, as some editors write it on Windows."
    : "A letter here is not UTF-8.";
  const problem = { line: at + 1, column: soundLength(first) + 1, message, allowed: "Save the file as UTF-8." };
  throw new ManifestError(file, [problem]);
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from <= bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from);
    const to = end < 0 ? bytes.length : end;
    lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

/** Characters before the first byte that is not UTF-8. */
function soundLength(line: Buffer): number {
  const [sound = ""] = line.toString("utf8").split("\ufffd");
  return sound.length;
}

function isUtf16(bytes: Buffer): boolean {
  return ["fffe", "feff"].includes(bytes.subarray(0, 2).toString("hex"));
}
