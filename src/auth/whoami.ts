import type { Context } from "../kit/context.ts";
import { readToken, requireLasting } from "./env-token.ts";
import { readJwt } from "./grant.ts";
import { requireProfile } from "./profiles.ts";
import { Session } from "./session.ts";
import { signedOut } from "./sign-in-needed.ts";

export interface SignedIn {
  readonly subject: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly profile: string | null;
  readonly source: string;
}

/** Whose token calls carry; renewed when it is old. Throws Exit 4 when nobody is signed in, or the sign-in is over. */
export async function whoIsSignedIn(context: Context, flag: string | undefined): Promise<SignedIn> {
  const { env, platform } = context;
  const given = flag === undefined ? readToken(env, platform) : null;
  if (given !== null) {
    requireLasting(env, given, context.clock(), 0);
    const { sub, name, email } = readJwt(given);
    const text = (value: unknown) => (typeof value === "string" ? value : null);
    const source = env.ALAI_TOKEN ? "ALAI_TOKEN" : "ALAI_TOKEN_FILE";
    return { subject: text(sub) ?? "unknown", name: text(name), email: text(email), profile: null, source };
  }
  const profile = requireProfile(context, flag);
  const session = await Session.open(context, profile);
  if (!session) throw signedOut(context, profile.name);
  await session.accessToken();
  const tokens = session.stored();
  if (!tokens) throw signedOut(context, profile.name);
  const { subject, name, email } = tokens;
  return { subject, name, email, profile: profile.name, source: `profile ${profile.name}` };
}
