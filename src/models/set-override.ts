import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { withLock } from "../kit/lock.ts";
import type { Target } from "./document.ts";
import { modelsFolder, readOverrides } from "./files.ts";
import { type Override, overrideFor } from "./override.ts";
import { replaceFile } from "./write.ts";

/** One line of the record: what was said, and by whom. */
export interface Recorded {
  readonly at: Millis;
  readonly by: string;
  readonly what: "set" | "clear";
  readonly tier: string;
  readonly endpoint: string;
  readonly model: string;
  readonly until: Millis;
  readonly reason: string | null;
}

const RECORD = "overrides.jsonl";

/** Puts an override in force in place of the tier's earlier one, and on record. */
export function setOverride(
  context: Context,
  tier: string,
  to: Target & { readonly until: Millis; readonly reason: string | null },
): Promise<Override> {
  const { actor: by } = context.identity();
  const override: Override = { tier, ...to, by, at: context.clock() };
  return changing(context, (others) => {
    const { at, until, reason } = override;
    record(context, { at, by, what: "set", tier, endpoint: to.endpoint, model: to.model, until, reason });
    return [[...others.filter((one) => one.tier !== tier), override], override];
  });
}

/** Ends the override of a tier. @returns it; null when there was none in force. */
export function clearOverride(context: Context, tier: string, reason: string | null): Promise<Override | null> {
  const { actor: by } = context.identity();
  const at = context.clock();
  return changing(context, (all) => {
    const found = overrideFor(all, tier, at);
    if (found) record(context, { ...found, at, by, what: "clear", tier, reason });
    return [all.filter((one) => one.tier !== tier), found];
  });
}

/** Everything that was ever recorded, oldest first. A line that a crash cut off is left out. */
export function recorded(context: Context): readonly Recorded[] {
  const file = join(modelsFolder(context.paths.data), RECORD);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Recorded];
    } catch {
      return [];
    }
  });
}

/** On record first: what is in force without one would be nobody's. */
function record(context: Context, line: Recorded): void {
  // A line that a crash cut off must not take this one with it.
  appendFileSync(join(modelsFolder(context.paths.data), RECORD), `\n${JSON.stringify(line)}`, { mode: 0o600 });
}

function changing<T>(
  context: Context,
  change: (inForce: readonly Override[]) => readonly [overrides: readonly Override[], result: T],
): Promise<T> {
  const folder = modelsFolder(context.paths.data);
  return withLock(folder, "overrides", () => {
    const now = context.clock();
    const [overrides, result] = change(readOverrides(folder).filter(({ until }) => now < until));
    replaceFile(folder, "overrides.json", { overrides });
    return result;
  });
}
