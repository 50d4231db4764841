import type { Context } from "../kit/context.ts";
import { git } from "./git.ts";

/** How many lines a change adds to a file and takes from it; null: git counts none, the file is binary or `.gitattributes` says so. */
export type LineCount = { readonly added: number; readonly removed: number } | null;

/** What changed between two commits, by path. @param before null: all that is in `commit` is new. Throws Exit 69 in git's words. */
export async function lineCounts(
  context: Context,
  clone: string,
  before: string | null,
  commit: string,
): Promise<ReadonlyMap<string, LineCount>> {
  const from = before ?? (await emptyTree(context, clone));
  const how = ["--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const listed = await git(context, ["diff-tree", "-r", "-z", ...how, from, commit], { at: clone });
  const counts = new Map<string, LineCount>();
  for (const line of listed.split("\0")) {
    const [, added, removed, path] = /^(\d+|-)\t(\d+|-)\t(.+)$/s.exec(line) ?? [];
    if (path === undefined) continue;
    counts.set(path, added === "-" ? null : { added: Number(added), removed: Number(removed) });
  }
  return counts;
}

/** Asked of git, because a repository may name its objects by SHA-1 or by SHA-256. Nothing is written. */
async function emptyTree(context: Context, clone: string): Promise<string> {
  return (await git(context, ["hash-object", "-t", "tree", "--stdin"], { at: clone })).trim();
}
