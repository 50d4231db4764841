import type { Context } from "../kit/context.ts";
import type { Profile } from "./profile.ts";
import { chosenProfile, readProfile } from "./profiles.ts";
import { Session } from "./session.ts";

/** The signed-in session whose token may go to this server; null when there is none. */
export async function sessionFor(context: Context, url: string): Promise<Session | null> {
  const profile = readProfile(context, chosenProfile(context, undefined).name);
  if (!profile || !isItsServer(context, profile, url)) return null;
  const session = await Session.open(context, profile);
  return session?.stored() ? session : null;
}

/** What to do about a server that wants a sign-in and did not get the profile's; null when that is not why. */
export function whyWithheld(context: Context, url: string): string | null {
  const profile = readProfile(context, chosenProfile(context, undefined).name);
  if (!profile || isItsServer(context, profile, url)) return null;
  return profile.mc
    ? `Your sign-in is for ${new URL(profile.mc.url).origin} only (profile ${profile.name}, mc.url).`
    : `Your sign-in is not sent to a server that nobody vouched for: add mc.url to the profile ${profile.name}, or type alai config set mc.url ${new URL(url).origin}`;
}

/** The server that the profile names, or else the setting. An address from the environment alone could be anybody's. */
function isItsServer(context: Context, { mc }: Profile, url: string): boolean {
  const known = mc?.url ?? context.settings().get("mc.url");
  return typeof known === "string" && new URL(known).origin === new URL(url).origin;
}
