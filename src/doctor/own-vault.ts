import { chosenProfile, fileOf, profileNames, readProfile } from "../auth/profiles.ts";
import { commandFor, DEFAULT_PROFILE } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { storedBackend } from "../kit/sealed/store.ts";
import { BwFiles } from "../secrets/session.ts";

/** A place where alai itself has a Bitwarden server from. */
export interface OwnServer {
  readonly where: string;
  readonly server: string;
  /** @param to the server that is to be asked instead. */
  readonly remedy: (to: string) => string;
}

export interface OwnServers {
  readonly asked: readonly OwnServer[];
  /** Profiles whose sign-in is sealed with a key that only the keychain has: it is not asked. */
  readonly unseen: readonly string[];
}

/** Which servers alai itself asks: by the setting, by each profile, and by each sign-in that opens without asking anybody. */
export async function ownServers(context: Context): Promise<OwnServers> {
  const names = [...new Set([chosenProfile(context, undefined).name, DEFAULT_PROFILE, ...profileNames(context)])];
  const signIns = await Promise.all(names.map((name) => signIn(context, name)));
  return {
    asked: [...ofSetting(context), ...names.flatMap((name) => ofProfile(context, name)), ...signIns.flat()],
    unseen: names.filter((name) => storedBackend(context, name) === "keychain"),
  };
}

function ofSetting(context: Context): OwnServer[] {
  const server = context.settings().get("secrets.server");
  if (typeof server !== "string") return [];
  return [{ where: "the setting secrets.server", server, remedy: (to) => `alai config set secrets.server ${to}` }];
}

function ofProfile(context: Context, name: string): OwnServer[] {
  const server = readProfile(context, name)?.secrets?.server;
  if (!server) return [];
  const remedy = (to: string) => `write "server": "${to}" under "secrets" in ${fileOf(context, name)}`;
  return [{ where: `the profile ${name}`, server, remedy }];
}

async function signIn(context: Context, name: string): Promise<OwnServer[]> {
  if (storedBackend(context, name) !== "file") return [];
  const session = (await BwFiles.open(context, name))?.session();
  if (!session?.signedIn) return [];
  return [
    {
      where: `alai's own sign-in${name === DEFAULT_PROFILE ? "" : ` (profile ${name})`}`,
      server: session.server,
      remedy: (to) => commandFor(context, `alai secrets unlock --server ${to}`, name),
    },
  ];
}
