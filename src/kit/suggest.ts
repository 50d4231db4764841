import { Command, CommanderError } from "commander";

/** What people type who come from gh, taskwarrior or bd, and what it is called here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  start: "claim",
  take: "claim",
  assign: "claim",
  lock: "claim",
  renew: "claim-extend",
  heartbeat: "claim-extend",
  extend: "claim-extend",
  release: "claim-release",
  unclaim: "claim-release",
  unlock: "claim-release",
  status: "claim-status",
  sweep: "claim-sweep",
  reclaim: "claim-sweep",
  close: "done",
  finish: "done",
  complete: "done",
  delete: "cancel",
  rm: "cancel",
  remove: "cancel",
  drop: "cancel",
  create: "add",
  new: "add",
  ls: "list",
  view: "show",
  get: "show",
  info: "show",
  modify: "edit",
  update: "edit",
  annotate: "note",
  comment: "note",
  exec: "run",
  stop: "pause",
  log: "events",
  history: "events",
  revert: "undo",
};

/** The command line that was probably meant, from the group's own path; null when nobody knows. */
export function meant(
  path: readonly string[],
  word: string,
  registry: readonly { readonly path: readonly string[] }[],
): string | null {
  const verb = ELSEWHERE[word] ?? word;
  const inMc = registry.some((entry) => entry.path[0] === "mc" && entry.path[1] === verb);
  const group = path.length === 0 || path[0] === "mc";
  if (group && inMc) return `alai mc ${verb}`;
  if (word === "version") return "alai --version";
  return word === "help" ? ["alai", ...path, "--help"].join(" ") : null;
}

/** The nearest of `words` to what was typed, by commander's own measure; null when none is near. */
export function suggest(typed: string, words: readonly string[]): string | null {
  const command = new Command("alai").exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const word of words) command.command(word);
  try {
    command.parse([typed], { from: "user" });
    return null;
  } catch (error) {
    const match = error instanceof CommanderError ? /Did you mean (?:one of )?([^?]+)\?/.exec(error.message) : null;
    return match?.[1]?.trim() ?? null;
  }
}
