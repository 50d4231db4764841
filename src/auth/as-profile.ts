import type { Context } from "../kit/context.ts";

/**
 * The same context for calls that carry this profile's sign-in, whichever profile is in use, as `--profile` means it: a token of
 * the environment is not looked at. The context itself is unchanged, and what is opened with either is closed with it.
 */
export function asProfile(context: Context, name: string): Context {
  const { ALAI_TOKEN: _, ALAI_TOKEN_FILE: __, ...env } = context.env;
  // Not by copying: whoever reads `interrupted` takes over the signals.
  return Object.create(context, { env: { value: { ...env, ALAI_PROFILE: name }, enumerable: true } }) as Context;
}
