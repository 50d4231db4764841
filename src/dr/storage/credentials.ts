import { chosenProfile } from "../../auth/profiles.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { readBreakGlass } from "../../secrets/break-glass.ts";

/** Looks a secret up by the name of its environment variable. */
export type Secrets = (name: string) => string | undefined;

/**
 * The environment's values where it has all of one way to sign in, else those that the profile sealed on this host under the
 * same names. The keychain is asked only where the environment is not enough.
 * @param ways each a list of variables that belong together; the first way that is whole is taken.
 */
export async function secretsFor(context: Context, ways: readonly (readonly string[])[]): Promise<Secrets> {
  const { env } = context;
  const isWhole = (look: Secrets) => ways.some((names) => names.every((name) => look(name)));
  const inEnv: Secrets = (name) => env[name] || undefined;
  if (isWhole(inEnv)) return inEnv;
  const sealed = (await readBreakGlass(context, chosenProfile(context, undefined).name))?.values ?? {};
  return (name) => inEnv(name) ?? (sealed[name] || undefined);
}

/** No way to sign in is whole. */
export function noCredentials(label: string, what: string): Exit {
  return new Exit(EXIT.signIn, "no_storage_credentials", `There are no credentials for ${label}.`, what);
}
