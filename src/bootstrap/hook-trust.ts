import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { confirm } from "../kit/prompt.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";
import { oneLine, wrap } from "../kit/text.ts";
import { git } from "./git.ts";
import { type LineCount, lineCounts } from "./line-counts.ts";
import { settingsLines } from "./settings-lines.ts";
import type { Setting } from "./step.ts";
import { type Entry, entriesAt, isSettings, requireReviewable } from "./tree.ts";

/**
 * What Claude Code would run or obey by itself: whoever can write to the repository can run it on every machine of the company.
 *
 * That is every file. An agent does what a text tells it with the rights of the person it works for, so an instruction is as
 * powerful as a hook; and which texts are instructions cannot be told by their names: `CLAUDE.md` takes in any file by `@path`,
 * and a command or a skill may say "read README.md". Only settings that set nothing but looks and model are left out.
 */

const TRUSTED = "trusted-hooks.json";
const WIDTH = 110;

/** What of a commit somebody must have looked at. */
export interface Review {
  /** One for each file that can be run or obeyed, as it is in the commit: trust ends when the file changes. */
  readonly digests: readonly string[];
  /** What nobody trusted yet, for a person: each file with the lines it gains and loses, settings whole. Empty: ask nothing. */
  readonly fresh: readonly string[];
}

/** What a review looks at. */
interface Look {
  readonly context: Context;
  readonly clone: string;
  /** All files of the commit in use. */
  readonly old: readonly Entry[];
  readonly counts: ReadonlyMap<string, LineCount>;
}

/** Looks at a commit, by its hash: a name could mean another one later. @param before the commit in use; null: none is. */
export async function review(context: Context, clone: string, commit: string, before: string | null): Promise<Review> {
  const all = await entriesAt(context, clone, commit);
  requireReviewable(all);
  const entries = await watched(context, clone, all);
  const old = before === null ? [] : await entriesAt(context, clone, before);
  const known = readTrusted(context);
  const fresh = entries.filter((entry) => !known.includes(digest(entry)));
  const gone = (await watched(context, clone, old)).filter(({ path }) => !entries.some((entry) => entry.path === path));
  const digests = entries.map(digest);
  if (fresh.length + gone.length === 0) return { digests, fresh: [] };
  const look: Look = { context, clone, old, counts: await lineCounts(context, clone, before, commit) };
  const lines: string[] = [];
  for (const entry of fresh) lines.push(...(await linesOf(look, entry)));
  return { digests, fresh: [...lines, ...gone.map((entry) => goneLine(look, entry))] };
}

/** Settings that set nothing but harmless things are no matter of trust. */
async function watched(context: Context, clone: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const entry of entries)
    if (!isSettings(entry) || settingsLines(await textOf(context, clone, entry)).length > 0) found.push(entry);
  return found;
}

async function linesOf(look: Look, entry: Entry): Promise<string[]> {
  const { path } = entry;
  const head = `${path}: ${howItIs(look, entry)}`;
  if (!isSettings(entry)) return [head];
  const settings = settingsLines(await textOf(look.context, look.clone, entry));
  return [head, ...settings.map((line) => `${path} ${line}`)];
}

function howItIs({ old, counts }: Look, { path, mode, hash }: Entry): string {
  const before = old.find((one) => one.path === path);
  const size = sizeOf(counts.get(path));
  if (before === undefined) return `new${size}`;
  if (before.mode !== mode) return `another kind of file${size}`;
  return before.hash === hash ? "in use, not trusted yet" : `changed${size}`;
}

function goneLine({ counts }: Look, entry: Entry): string {
  const how = isSettings(entry) ? "sets nothing any more" : "removed";
  return `${entry.path}: ${how}${sizeOf(counts.get(entry.path))}`;
}

/** As git counts: a line that changes is one removed and one added. @param count undefined: it is the same in both commits. */
function sizeOf(count: LineCount | undefined): string {
  if (count === undefined) return "";
  return count === null ? ", binary, or called so by .gitattributes" : `, +${count.added} -${count.removed}`;
}

function textOf(context: Context, clone: string, { hash }: Entry): Promise<string> {
  return git(context, ["cat-file", "blob", hash], { at: clone });
}

/**
 * Shows what was not trusted before, and asks. @param where a person who is asked finds the lines themselves.
 * @returns false when nobody says yes.
 */
export async function mayTrust(setting: Setting, { digests, fresh }: Review, where: string): Promise<boolean> {
  const { context, options } = setting;
  if (fresh.length > 0 && !options.trustHooks) {
    const mayAsk = context.canPrompt();
    if (!context.flags.quiet) show(context, fresh);
    // Whole, to be copied; also with --quiet, since the question stands there too.
    if (mayAsk) context.io.err(`${visible(where)}\n`);
    if (!mayAsk || !(await confirm(context, "Trust them?", "--trust-hooks"))) return false;
  }
  // Only what is there now: what is gone is looked at again when it comes back.
  if (fresh.length > 0) keepTrusted(context, digests);
  return true;
}

function show({ io }: Context, lines: readonly string[]): void {
  io.err(
    "The company's ~/.claude brings what Claude Code runs or obeys by itself (+ and -: lines added and removed):\n",
  );
  for (const line of lines) io.err(`  ${wrap(visible(line), WIDTH).join("\n      ")}\n`);
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
