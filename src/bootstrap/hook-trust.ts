import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { confirm } from "../kit/prompt.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";
import { oneLine, wrap } from "../kit/text.ts";
import { git } from "./git.ts";
import { settingsLines } from "./settings-lines.ts";
import type { Setting } from "./step.ts";
import { type Entry, entriesAt, isSettings, isWatched, requireReviewable } from "./tree.ts";

/** What Claude Code would run by itself: whoever can write to the repository can run it on every machine of the company. */

const TRUSTED = "trusted-hooks.json";
const WIDTH = 110;

/** What of a commit somebody must have looked at. */
export interface Review {
  /** One for each file that can be run or obeyed, as it is in the commit: trust ends when the file changes. */
  readonly digests: readonly string[];
  /** What nobody trusted yet, for a person: settings whole, other files by name. */
  readonly fresh: readonly string[];
}

/** Looks at a commit, by its hash: a name could mean another one later. @param before the commit in use; null: none is. */
export async function review(context: Context, clone: string, commit: string, before: string | null): Promise<Review> {
  const all = await entriesAt(context, clone, commit);
  requireReviewable(all);
  const entries = await watched(context, clone, all);
  const old = before === null ? [] : await watched(context, clone, await entriesAt(context, clone, before));
  const known = readTrusted(context);
  const fresh = entries.filter((entry) => !known.includes(digest(entry)));
  const gone = old.filter(({ path }) => !entries.some((entry) => entry.path === path));
  const lines: string[] = [];
  for (const entry of fresh) lines.push(...(await linesOf(context, clone, entry, old)));
  return {
    digests: entries.map(digest),
    fresh: [
      ...lines,
      ...gone.map((entry) => `${entry.path}: ${isSettings(entry) ? "sets nothing any more" : "removed"}`),
    ],
  };
}

/** Settings that set nothing but harmless things are no matter of trust. */
async function watched(context: Context, clone: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const entry of entries) {
    const matters = isSettings(entry)
      ? settingsLines(await textOf(context, clone, entry)).length > 0
      : isWatched(entry);
    if (matters) found.push(entry);
  }
  return found;
}

async function linesOf(context: Context, clone: string, entry: Entry, old: readonly Entry[]): Promise<string[]> {
  const { path } = entry;
  if (isSettings(entry)) return settingsLines(await textOf(context, clone, entry)).map((line) => `${path} ${line}`);
  const before = old.find((one) => one.path === path);
  if (before === undefined) return [`${path}: new`];
  if (before.mode !== entry.mode) return [`${path}: another kind of file`];
  return [`${path}: ${before.hash === entry.hash ? "in use, not trusted yet" : "changed"}`];
}

function textOf(context: Context, clone: string, { hash }: Entry): Promise<string> {
  return git(context, ["cat-file", "blob", hash], { at: clone });
}

/** Shows what was not trusted before, and asks. @returns false when nobody says yes. */
export async function mayTrust({ context, options }: Setting, { digests, fresh }: Review): Promise<boolean> {
  if (fresh.length > 0 && !options.trustHooks) {
    if (!context.flags.quiet) {
      context.io.err("The company's ~/.claude brings what Claude Code runs or obeys by itself:\n");
      for (const line of fresh) context.io.err(`  ${wrap(visible(line), WIDTH).join("\n      ")}\n`);
    }
    if (!context.canPrompt() || !(await confirm(context, "Trust them?", "--trust-hooks"))) return false;
  }
  // Only what is there now: what is gone is looked at again when it comes back.
  if (fresh.length > 0) keepTrusted(context, digests);
  return true;
}

/** Marks that show nothing are shown: a command must not hide behind them. */
function visible(text: string): string {
  return oneLine(text).replaceAll(/\p{Cf}/gu, (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`);
}

function digest({ mode, hash, path }: Entry): string {
  return createHash("sha256").update(`${mode} ${hash} ${path}`).digest("hex");
}

function readTrusted(context: Context): readonly string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(join(context.paths.config, TRUSTED), "utf8"));
    return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function keepTrusted(context: Context, digests: readonly string[]): void {
  mkdirSync(context.paths.config, { recursive: true, mode: 0o700 });
  writePrivate(join(context.paths.config, TRUSTED), Buffer.from(`${JSON.stringify([...new Set(digests)], null, 2)}\n`));
}
