import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { git } from "./git.ts";

/** A file of a commit. */
export interface Entry {
  readonly mode: string;
  /** Of what is in it. */
  readonly hash: string;
  readonly path: string;
}

const SUBMODULE = "160000";
const SYMLINK = "120000";

/** Every file of a commit. */
export async function entriesAt(context: Context, clone: string, commit: string): Promise<readonly Entry[]> {
  const listed = await git(context, ["ls-tree", "-r", "-z", "--full-tree", commit], { at: clone });
  return listed
    .split("\0")
    .filter((line) => line !== "")
    .map(entryOf);
}

/** Throws Exit 1 for what cannot be looked at: submodules, and settings that are a symlink. */
export function requireReviewable(entries: readonly Entry[]): void {
  const bad = entries.find(({ mode }) => mode === SUBMODULE);
  if (bad) throw refused(`The company's ~/.claude has a submodule, ${bad.path}, which cannot be looked at`);
  const link = entries.find((entry) => isSettings(entry) && entry.mode === SYMLINK);
  if (link) throw refused(`${link.path} of the company's ~/.claude is a symlink; it must be a file`);
}

function entryOf(line: string): Entry {
  const tab = line.indexOf("\t");
  const [mode = "", , hash = ""] = line.slice(0, tab).split(" ");
  return { mode, hash, path: line.slice(tab + 1) };
}

/** As a disk may see the name that takes `SETTINGS.json` for the same file. */
export function isSettings({ path }: Entry): boolean {
  const folded = path
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .toLowerCase();
  return /^settings(\.local)?\.json$/.test(folded);
}

function refused(what: string): Exit {
  return new Exit(
    EXIT.refused,
    "not_reviewable",
    `${what}; nothing was changed.`,
    "Tell who keeps the company's repository.",
  );
}
