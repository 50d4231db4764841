import type { Context } from "../kit/context.ts";
import { chosenProfile, readProfile } from "./profiles.ts";
import { Session } from "./session.ts";

/** The signed-in session whose token may go to this server; null when there is none. */
export async function sessionFor(context: Context, url: string): Promise<Session | null> {
  const profile = readProfile(context, chosenProfile(context, undefined).name);
  if (!profile || (profile.mc && new URL(profile.mc.url).origin !== new URL(url).origin)) return null;
  const session = await Session.open(context, profile);
  return session?.stored() ? session : null;
}
