import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readClaudeSettings, withGate } from "../hook/settings-file.ts";

/** True when a settings file has nothing that alai did not put there. @param base what it was before that. */
export function isOnlyGate(file: string, base: Readonly<Record<string, unknown>> = {}): boolean {
  try {
    // The command may have been another when it was installed: both get the same.
    return JSON.stringify(withGate(base, "")) === JSON.stringify(withGate(readClaudeSettings(file), ""));
  } catch {
    return false;
  }
}

/** True when all of `~/.claude` is what alai made when it installed the gate. */
export function holdsOnlyGate(home: string): boolean {
  try {
    const names = readdirSync(home);
    const areOurs = names.every((name) => /^settings\.json(\.backup-[\dTZ]+-\d+)?$/.test(name));
    return areOurs && names.includes("settings.json") && isOnlyGate(join(home, "settings.json"));
  } catch {
    return false;
  }
}
