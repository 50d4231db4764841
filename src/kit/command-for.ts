import type { Context } from "./context.ts";

export const DEFAULT_PROFILE = "default";

/** The words of a command that means this profile: with its name where another one is in use without a flag or a variable. */
export function commandFor(context: Pick<Context, "settings">, command: string, profile: string): string {
  const inUse = context.settings().get("profile") ?? DEFAULT_PROFILE;
  return inUse === profile ? command : `${command} --profile ${profile}`;
}
