import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { toFailure } from "../../kit/errors.ts";
import type { ScannedFile } from "./scan.ts";
import { savedBy } from "./tree.ts";

/** What is to be done before a file is written over. */
export interface Leave {
  /** Why it may not be; null when it may. */
  readonly why: string | null;
  /** Nobody else has what is in it now: it is kept beside it. */
  readonly keeps: boolean;
}

/** Nothing is lost: git gives back what it has, and outside of a repository the old file stays beside the new one. */
export async function leaveFor(context: Context, file: string, force: boolean): Promise<Leave> {
  const saved = await savedBy(context, dirname(file), basename(file));
  if (saved === "no repository") return { why: null, keeps: true };
  if (saved === "saved" || force) return { why: null, keeps: false };
  return { why: `${saved.why}: commit it, or type --force`, keeps: false };
}

/** What came of writing one file. */
export interface Rewritten {
  /** Why it was not done; null when it was. */
  readonly why: string | null;
  /** The file that has what was there; null where git has it. */
  readonly kept: string | null;
}

/** Writes what can be rewritten of a file: aside and renamed, its rights kept. */
export function rewrite({ file, before, after }: ScannedFile, keeps: boolean): Rewritten {
  const aside = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString("hex")}.new`);
  let kept: string | null = null;
  try {
    writeLike(file, aside, after);
    kept = keeps ? keep(file) : null;
    // An editor may have been quicker.
    if (readFileSync(file, "utf8") !== before) throw new Changed();
    renameSync(aside, file);
    return { why: null, kept };
  } catch (error) {
    if (kept !== null) rmSync(kept, { force: true });
    return { why: error instanceof Changed ? "it was changed meanwhile" : toFailure(error).message, kept: null };
  } finally {
    rmSync(aside, { force: true });
  }
}

class Changed extends Error {}

function writeLike(file: string, aside: string, text: string): void {
  const { mode } = statSync(file);
  const fd = openSync(aside, "wx", 0o600);
  try {
    writeFileSync(fd, text);
    fchmodSync(fd, mode & 0o7777);
  } finally {
    closeSync(fd);
  }
}

/** A second name for what is there, which is what is left when the new file takes the first: `FILE.orig`, never over another. */
function keep(file: string): string {
  for (let number = 0; ; number++) {
    const name = number === 0 ? `${file}.orig` : `${file}.orig.${number}`;
    try {
      link(file, name);
      return name;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}

/** Not every disk takes two names for one file. */
function link(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw error;
    copyFileSync(file, name, constants.COPYFILE_EXCL);
  }
}
