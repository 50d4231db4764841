import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { confirm } from "../kit/prompt.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { git } from "./git.ts";
import type { Setting } from "./step.ts";

/** Commands that Claude Code would run by itself: whoever can write to the repository can run them on every machine of the company. */

const FILES = ["settings.json", "settings.local.json"];
const TRUSTED = "trusted-hooks.json";

/** `event: command` of every hook at that commit of the clone, sorted. */
export async function hooksIn(context: Context, clone: string, commit: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of FILES) {
    const text = await git(context, ["-C", clone, "show", `${commit}:${file}`]).catch(() => "");
    if (text !== "") found.push(...commandsIn(text, file));
  }
  return found.sort();
}

function commandsIn(text: string, file: string): string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What cannot be read cannot be shown either.
    return [`${file}: not JSON`];
  }
  const { hooks, ...more } = (json ?? {}) as Record<string, unknown>;
  const other = ["statusLine", "apiKeyHelper", "awsAuthRefresh", "otelHeadersHelper"].flatMap((key) =>
    more[key] === undefined ? [] : [`${key}: ${JSON.stringify(more[key])}`],
  );
  return [...Object.entries((hooks ?? {}) as object).flatMap(([event, groups]) => commands(event, groups)), ...other];
}

function commands(event: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => commands(event, inner));
  if (typeof value !== "object" || value === null) return [];
  const { command } = value as { command?: unknown };
  if (typeof command === "string") return [`${event}: ${command}`];
  return Object.values(value).flatMap((inner) => commands(event, inner));
}

/** Shows hooks that were not trusted before and asks. @returns false when nobody says yes. */
export async function mayTrust({ context, options }: Setting, hooks: readonly string[]): Promise<boolean> {
  const known = readTrusted(context);
  const fresh = hooks.filter((hook) => !known.includes(digest(hook)));
  if (fresh.length > 0 && !options.trustHooks) {
    if (!context.flags.quiet) {
      context.io.err("The company's ~/.claude brings commands that Claude Code runs by itself:\n");
      for (const hook of fresh) context.io.err(`  ${truncate(oneLine(hook), 200)}\n`);
    }
    if (!context.canPrompt() || !(await confirm(context, "Trust them?", "--trust-hooks"))) return false;
  }
  if (fresh.length > 0) keepTrusted(context, [...known, ...fresh.map(digest)]);
  return true;
}

function digest(hook: string): string {
  return createHash("sha256").update(hook).digest("hex");
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
