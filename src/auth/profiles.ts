import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";
import { profileName } from "../kit/settings.ts";
import { writeSetting } from "../kit/write-settings.ts";
import { parseProfile } from "./parse-profile.ts";
import type { Profile } from "./profile.ts";

/** Profiles are files beside the settings: `profiles/NAME.json`, as the company hosts it, with nothing secret in it. */

export const DEFAULT_PROFILE = "default";

/** Which profile is meant, and who says so: `--profile` > `ALAI_PROFILE` > the setting. */
export function chosenProfile(context: Context, flag: string | undefined): { name: string; source: string } {
  if (flag !== undefined) return { name: profileName(flag), source: "--profile" };
  if (context.env.ALAI_PROFILE) return { name: profileName(context.env.ALAI_PROFILE), source: "ALAI_PROFILE" };
  const setting = context.settings().get("profile");
  if (typeof setting === "string") return { name: setting, source: "the setting profile" };
  return { name: DEFAULT_PROFILE, source: "by default" };
}

/** The profile of that name; null when there is none. Throws a usage error for a file that cannot be understood. */
export function readProfile(context: Context, name: string): Profile | null {
  const file = fileOf(context, name);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  return parseProfile(text, name, file);
}

/** The profile that is meant. Throws Exit 4 when this machine has none of that name. */
export function requireProfile(context: Context, flag: string | undefined): Profile {
  const { name, source } = chosenProfile(context, flag);
  const profile = readProfile(context, name);
  if (profile) return profile;
  const others = profileNames(context);
  throw new Exit(
    EXIT.signIn,
    "no_profile",
    others.length > 0
      ? `There is no profile ${name} (${source}); there are: ${others.join(", ")}.`
      : "This machine is not set up: it has no profile.",
    "Type alai login.",
  );
}

export function profileNames(context: Context): string[] {
  try {
    const files = readdirSync(join(context.paths.config, "profiles"));
    return files.flatMap((file) => /^([a-z0-9][a-z0-9_-]*)\.json$/.exec(file)?.[1] ?? []).sort();
  } catch {
    return [];
  }
}

/** Writes a profile's document. @param document what the company hosts, or what the questions gave, as JSON. */
export function keepProfile(context: Context, name: string, document: unknown): void {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const file = fileOf(context, name);
  mkdirSync(join(context.paths.config, "profiles"), { recursive: true, mode: 0o700 });
  writePrivate(file, Buffer.from(text));
}

/** Makes a profile the one that is meant when nothing says otherwise. @returns false when it is that already. */
export async function useProfile(context: Context, name: string): Promise<boolean> {
  if ((context.settings().get("profile") ?? DEFAULT_PROFILE) === name) return false;
  await writeSetting(context, "profile", name);
  return true;
}

export function fileOf(context: Context, name: string): string {
  return join(context.paths.config, "profiles", `${name}.json`);
}
