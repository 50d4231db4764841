import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import type { RenderedPage } from "./page.ts";
import { fileText, isOurs } from "./render.ts";

/** What was done about one file. */
export interface Written {
  readonly file: string;
  readonly title: string;
  readonly change: "new" | "changed" | "same";
}

/** Writes the pages that differ. Throws Exit 1, with nothing written, where a file of that name is not ours. */
export function writePages(folder: string, pages: readonly RenderedPage[]): readonly Written[] {
  const before = new Map(pages.map(({ file }) => [file, textAt(join(folder, file))]));
  const foreign = [...before].filter(([, text]) => text !== null && !isOurs(text)).map(([file]) => join(folder, file));
  if (foreign.length > 0) throw notOurs(foreign);
  mkdirSync(folder, { recursive: true });
  return pages.map((page) => {
    const { file, title } = page;
    const [old, text] = [before.get(file) ?? null, fileText(page)];
    if (old === text) return { file, title, change: "same" };
    replace(join(folder, file), text);
    return { file, title, change: old === null ? "new" : "changed" };
  });
}

/** Aside, flushed, renamed: who reads the folder never sees half of a page. */
function replace(file: string, text: string): void {
  const aside = `${file}.${randomBytes(6).toString("hex")}.new`;
  try {
    const fd = openSync(aside, "wx");
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function textAt(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function notOurs(files: readonly string[]): Exit {
  const [be, it] = files.length === 1 ? ["was", "it"] : ["were", "them"];
  return new Exit(
    EXIT.refused,
    "not_ours",
    `${files.join(" and ")} ${be} not written by alai runbook, so nothing was written.`,
    `Move ${it} away, or name another folder with --out.`,
  );
}
