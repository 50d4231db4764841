import type { Context } from "./context.ts";

/** Colours by what they mean. */
export interface Style {
  strong(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  accent(text: string): string;
}

const same = (text: string) => text;
export const PLAIN: Style = { strong: same, dim: same, good: same, warn: same, bad: same, accent: same };

/** True when this stream may have colour: NO_COLOR, FORCE_COLOR, TERM=dumb, --no-color and --json, each stream by itself. */
export function mayColour(context: Context, isTty: boolean): boolean {
  const { env, flags } = context;
  if (env.NO_COLOR || flags.color === false || flags.json) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return isTty && env.TERM !== "dumb";
}

/** chalk, loaded only where colour is wanted. */
export async function styleFor(context: Context, isTty: boolean): Promise<Style> {
  if (!mayColour(context, isTty)) return PLAIN;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  return {
    strong: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    warn: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    accent: (text) => chalk.cyan(text),
  };
}
