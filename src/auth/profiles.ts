import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandFor, DEFAULT_PROFILE } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";
import { profileName } from "../kit/settings.ts";
import { writeSetting } from "../kit/write-settings.ts";
import { parseProfile } from "./parse-profile.ts";
import type { Profile } from "./profile.ts";

/** Profiles are files beside the settings: `profiles/NAME.json`, as the company hosts it, with nothing secret in it. */

const BY_DEFAULT = "by default";

/** Which profile is meant, and who says so: `--profile` > `ALAI_PROFILE` > the setting. */
export function chosenProfile(context: Context, flag: string | undefined): { name: string; source: string } {
  if (flag !== undefined) return { name: profileName(flag), source: "--profile" };
  if (context.env.ALAI_PROFILE) return { name: profileName(context.env.ALAI_PROFILE), source: "ALAI_PROFILE" };
  const setting = context.settings().get("profile");
  if (typeof setting === "string") return { name: setting, source: "the setting profile" };
  return { name: DEFAULT_PROFILE, source: BY_DEFAULT };
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
  const isAny = profileNames(context).length > 0 || source !== BY_DEFAULT;
  const message = isAny ? noSuchProfile(context, name, source) : "This machine is not set up: it has no profile.";
  throw new Exit(EXIT.signIn, "no_profile", message, `Type ${commandFor(context, "alai login", name)}.`);
}

/** That there is no profile of this name, and which there are. @param source who named it, where that is not plain. */
export function noSuchProfile(context: Context, name: string, source?: string): string {
  const others = profileNames(context);
  const there = others.length > 0 ? `there are: ${others.join(", ")}` : "this machine has none yet";
  return `There is no profile ${name}${source === undefined ? "" : ` (${source})`}; ${there}.`;
}

/** Refuses (exit 64) to take a profile into use that is not there. The one that is in use by default may be made later. */
export function requireKnownProfile(context: Context, name: string): void {
  if (name === DEFAULT_PROFILE || readProfile(context, profileName(name))) return;
  throw usage(noSuchProfile(context, name), `Type alai login --profile ${name} to make it.`);
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
