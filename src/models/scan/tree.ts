import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { git } from "../../bootstrap/git.ts";
import type { Context } from "../../kit/context.ts";

/** Never looked into: what is there is other people's, or made. */
const OUTSIDE: ReadonlySet<string> = new Set([".git", "node_modules", ".venv", "venv", "__pycache__", ".hg", ".svn"]);

const KEPT = /^(.+)\.orig(?:\.\d+)?$/s;

/** What stands in a folder, one file after the other, below what git ignores and without links. @param path absolute. */
export async function* filesBelow(context: Context, path: string): AsyncGenerator<string> {
  const found = lstatSync(path);
  if (found.isFile()) yield path;
  if (!found.isDirectory()) return;
  const listed = await listedByGit(context, path);
  if (!listed) return yield* walked(context, path);
  for (const name of listed) {
    if (name === "" || name.split("/").some((part) => OUTSIDE.has(part))) continue;
    const file = join(path, name);
    const kind = lstatSync(file, { throwIfNoEntry: false });
    if (kind?.isFile()) yield file;
    // A repository within this one: git names its folder only.
    else if (kind?.isDirectory()) yield* filesBelow(context, file);
  }
}

async function* walked(context: Context, folder: string): AsyncGenerator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (OUTSIDE.has(entry.name) || isKept(path)) continue;
    if (entry.isFile()) yield path;
    else if (entry.isDirectory()) yield* isRepository(path) ? filesBelow(context, path) : walked(context, path);
  }
}

/** What an earlier rewriting kept beside the file. */
function isKept(path: string): boolean {
  const [, file] = KEPT.exec(path) ?? [];
  return file !== undefined && lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function isRepository(folder: string): boolean {
  return lstatSync(join(folder, ".git"), { throwIfNoEntry: false }) !== undefined;
}

/** What git has and what it would take; null where there is no repository, or where git ignores the whole folder. */
async function listedByGit(context: Context, folder: string): Promise<readonly string[] | null> {
  try {
    const ignored = await git(context, ["check-ignore", "-q", "."], { at: folder }).then(
      () => true,
      () => false,
    );
    if (ignored) return null;
    const names = await git(context, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { at: folder });
    return [...new Set(names.split("\0"))];
  } catch {
    return null;
  }
}

/** Whether git can give back what is in a file now: it can, it is in no repository, or why it cannot. */
export type Saved = "saved" | "no repository" | { readonly why: string };

export async function savedBy(context: Context, folder: string, name: string): Promise<Saved> {
  try {
    const words = ["status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--", `:(literal)${name}`];
    const found = (await git(context, words, { at: folder })).slice(0, 2);
    if (found === "") return "saved";
    const foreign = found === "??" || found === "!!";
    return { why: foreign ? "git does not have it" : "it has changes that are not committed" };
  } catch {
    return "no repository";
  }
}
