import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "../kit/context.ts";

/** How the settings call the gate: by the name `alai` where PATH has it (an update then changes nothing), else by path. */
export function gateCommand(context: Context): string {
  const name = context.platform === "win32" ? "alai.cmd" : "alai";
  const onPath = lastingPath(context.env.PATH)
    .split(delimiter)
    .some((dir) => dir !== "" && existsSync(join(dir, name)));
  const words = onPath ? ["alai"] : context.self.map(shellQuote);
  return [...words, "hook", "claim-gate"].join(" ");
}

/** PATH without what npm and npx put there for the length of one call: Claude Code will not have it. */
export function lastingPath(path: string | undefined): string {
  const dirs = (path ?? "").split(delimiter);
  return dirs.filter((dir) => !/node_modules[/\\]\.bin[/\\]?$/.test(dir)).join(delimiter);
}

function shellQuote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
