import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";

/** Claude Code's settings file: read, and changed without losing anything that is in it. */

/** The tools whose calls do work for a task. `Task` is the old name of `Agent` (server.md §0.5). */
const MATCHER = "Task|Agent|Bash|Edit|Write|MultiEdit|NotebookEdit";
/** Seconds Claude Code waits: more than the gate's own limit, so that the gate answers first. */
const TIMEOUT = 5;

interface HookCommand {
  readonly type: string;
  readonly command?: string;
  readonly [key: string]: unknown;
}

interface HookGroup {
  readonly matcher?: string;
  readonly hooks?: readonly HookCommand[];
  readonly [key: string]: unknown;
}

type Settings = Record<string, unknown> & { hooks?: Record<string, HookGroup[]> };

/** The file that was named, or this user's. */
export function claudeSettingsFile(context: Context, named: string | undefined): string {
  if (named !== undefined) return resolve(context.cwd, named);
  return join(context.env.HOME || homedir(), ".claude", "settings.json");
}

/** True when Claude Code is told to run no hooks at all. */
export function hooksAreOff(settings: Settings): boolean {
  return settings.disableAllHooks === true;
}

/** What `hook install` writes. Without onFailure a gate that dies or hangs would let the call through. */
export function gateGroup(command: string): HookGroup {
  return { matcher: MATCHER, hooks: [{ type: "command", command, timeout: TIMEOUT, onFailure: "block" }] };
}

/** The command of every claim gate in the settings. */
export function installedGates(settings: Settings): string[] {
  const groups = settings.hooks?.PreToolUse ?? [];
  return groups.flatMap((group) => (group.hooks ?? []).flatMap((hook) => (isGate(hook) ? [hook.command ?? ""] : [])));
}

function isGate(hook: HookCommand): boolean {
  return /\bhook claim-gate\s*$/.test(hook.command ?? "");
}

/** The settings, or an empty object. Throws when the file is there and is no JSON object: it is not ours to repair. */
export function readClaudeSettings(file: string): Settings {
  if (!existsSync(file)) return {};
  try {
    const json: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Settings;
  } catch {
    // Said below.
  }
  throw new Exit(
    EXIT.refused,
    "not_json",
    `${file} is not a JSON object; it was not touched.`,
    "Repair it in an editor, then install again.",
  );
}

/** The settings with the gate in them; an older gate of ours is replaced, every other hook stays as it is. */
export function withGate(settings: Settings, command: string): Settings {
  const groups = settings.hooks?.PreToolUse ?? [];
  const others = groups
    .map((group) => ({ ...group, hooks: (group.hooks ?? []).filter((hook) => !isGate(hook)) }))
    .filter((group, at) => group.hooks.length > 0 || (groups[at]?.hooks ?? []).length === 0);
  return { ...settings, hooks: { ...settings.hooks, PreToolUse: [...others, gateGroup(command)] } };
}

/** Writes aside and renames; the old file is kept beside the new one. @returns the copy's path, or null. */
export function writeClaudeSettings(named: string, settings: Settings): string | null {
  mkdirSync(dirname(named), { recursive: true });
  // Through a link to the file it means, and as private as that was.
  const file = existsSync(named) ? realpathSync(named) : named;
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600;
  const aside = `${file}.${process.pid}.tmp`;
  writeFileSync(aside, `${JSON.stringify(settings, null, 2)}\n`, { flag: "wx", mode });
  const copy = existsSync(file) ? keepCopy(file) : null;
  renameSync(aside, file);
  return copy;
}

function keepCopy(file: string): string {
  const copy = `${file}.backup-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${process.pid}`;
  copyFileSync(file, copy, constants.COPYFILE_EXCL);
  return copy;
}
