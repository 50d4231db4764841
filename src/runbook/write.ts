import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Exit, toFailure, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { makeFolder } from "../kit/folder.ts";
import { oneLine } from "../kit/text.ts";
import type { RenderedPage } from "./page.ts";
import { fileText, isOurs } from "./render.ts";

/** What was done about one file. */
export interface Written {
  readonly file: string;
  readonly title: string;
  readonly change: "new" | "changed" | "same";
}

/**
 * Sees to it that there is a folder to write into, before anybody is asked for what is written. Throws a usage error for what is no
 * folder, Exit 69 for one that cannot be made.
 */
export function requireFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EEXIST" || code === "ENOTDIR")
      throw usage(`${oneLine(folder)} is no folder, or lies below what is none.`, "Name a folder with --out.");
    const why = WHY[code] ?? toFailure(error).message;
    throw new Exit(
      EXIT.unavailable,
      "no_folder",
      `The folder ${oneLine(folder)} cannot be made: ${why}.`,
      "Name another one with --out.",
    );
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  ENOENT: "the system takes no folder there",
};

/** Writes the pages that differ. Throws as `requireFolder`, and Exit 1, with nothing written, where a file of that name is not ours. */
export function writePages(folder: string, pages: readonly RenderedPage[]): readonly Written[] {
  const before = new Map(pages.map(({ file }) => [file, textAt(join(folder, file))]));
  const foreign = [...before].filter(([, text]) => text !== null && !isOurs(text)).map(([file]) => join(folder, file));
  if (foreign.length > 0) throw notOurs(foreign);
  requireFolder(folder);
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
