import { readProfile } from "../auth/profiles.ts";
import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { askLine } from "../kit/prompt.ts";
import { serverAddress } from "./server-address.ts";

/**
 * The Bitwarden server that is meant: the flag, the setting, the profile, the one used last. Where only "the cloud" is said a
 * person is asked which. Throws a usage error when nobody says.
 */
export async function whichServer(
  context: Context,
  profile: string,
  flag: string | undefined,
  last: string | undefined,
): Promise<string> {
  const said = flag ?? configuredServer(context, profile) ?? last;
  const address = said === undefined ? null : serverAddress(said);
  return address ?? askServer(context, said);
}

/** What the setting, else the profile, says. */
export function configuredServer(context: Context, profile: string): string | undefined {
  const setting = context.settings().get("secrets.server");
  return typeof setting === "string" ? setting : readProfile(context, profile)?.secrets?.server;
}

async function askServer(context: Context, said: string | undefined): Promise<string> {
  if (!context.canPrompt())
    throw usage(
      said === undefined
        ? "Nothing says which Bitwarden server holds your secrets."
        : `${said} is two clouds: nothing says in which your account is.`,
      "Type alai secrets unlock --server us, or --server eu, or --server with the https address of your own.",
    );
  const answer = await askLine(context, "Bitwarden server (us, eu, or an https address):");
  return serverAddress(answer) ?? askServer(context, answer);
}
