import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { writePrivate } from "../../kit/sealed/private-file.ts";
import type { Host } from "../manifest/model.ts";
import { isOursFor } from "./header.ts";
import type { RenderedFile } from "./rendered.ts";

/** What writing would do, or did, to one file. */
export interface FileChange {
  readonly name: string;
  readonly change: "new" | "changed" | "same" | "stale";
  /** Null: there is none. */
  readonly before: string | null;
  /** Null: it goes. */
  readonly after: string | null;
}

/**
 * Compares what is to be with what is in a folder. Files that alai once wrote there for the same host and that are no longer made
 * are stale. Throws Exit 1 for a file of one of these names that alai did not write for this host: it is never overwritten.
 */
export function compareFiles(out: string, host: Host, files: readonly RenderedFile[]): readonly FileChange[] {
  const made = files.map(({ name, text }) => changeOf(name, textAt(out, name), text));
  const names = new Set(files.map(({ name }) => name));
  const stale = namesIn(out)
    .filter((name) => !names.has(name) && /\.(yml|plist|service)$/.test(name))
    .flatMap((name): FileChange[] => {
      const before = textAt(out, name);
      return before !== null && isOursFor(before, host) ? [{ name, change: "stale", before, after: null }] : [];
    });
  const foreign = made
    .filter(({ before }) => before !== null && !isOursFor(before, host))
    .map(({ name }) => join(out, name));
  if (foreign.length > 0) throw notOurs(foreign, host);
  return [...made, ...stale];
}

/** Writes each aside and renames it; removes what is stale. The folder is made where it is not there. */
export function writeFiles(out: string, changes: readonly FileChange[]): void {
  mkdirSync(out, { recursive: true, mode: 0o700 });
  for (const { name, change, after } of changes) {
    if (change === "same") continue;
    if (after === null) rmSync(join(out, name));
    else writePrivate(join(out, name), Buffer.from(after));
  }
}

function changeOf(name: string, before: string | null, after: string): FileChange {
  const change = before === null ? "new" : before === after ? "same" : "changed";
  return { name, change, before, after };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function textAt(folder: string, name: string): string | null {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function notOurs(files: readonly string[], host: Host): Exit {
  return new Exit(
    EXIT.refused,
    "not_ours",
    `${files.join(" and ")} ${files.length === 1 ? "was" : "were"} not written by alai for ${host.name}, so nothing was written.`,
    "Move it away, or name another folder with --out.",
  );
}
