import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { readToken, requireLasting } from "./env-token.ts";
import { requireProfile } from "./profiles.ts";
import { Session } from "./session.ts";

/** The access token that calls carry, for another program; null when nobody is signed in. @param ttl milliseconds that it must be good for. Throws Exit 4 when it is over. */
export async function givenToken(context: Context, flag: string | undefined, ttl: Millis): Promise<string | null> {
  const given = flag === undefined ? readToken(context.env, context.platform) : null;
  if (given !== null) {
    requireLasting(context.env, given, context.clock(), ttl);
    return given;
  }
  const session = await Session.open(context, requireProfile(context, flag));
  return session?.stored() ? session.accessToken(ttl) : null;
}
