import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** Writes a file that must not be there yet. @returns its absolute path. Throws Exit 1 when it is there. */
export function writeNew(context: Context, name: string, text: string): string {
  const file = resolve(context.cwd, name);
  try {
    writeFileSync(file, text, { flag: "wx" });
    return file;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new Exit(
      EXIT.refused,
      "exists",
      `${file} is there already; nothing was written.`,
      "Name another file with --out.",
    );
  }
}
