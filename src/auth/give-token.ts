import { type Millis, toIso } from "@alai/core";
import { commandFor } from "../kit/command-for.ts";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { readToken, requireLasting } from "./env-token.ts";
import { requireProfile } from "./profiles.ts";
import { Session } from "./session.ts";
import { signedOut } from "./sign-in-needed.ts";
import type { Tokens } from "./tokens.ts";

/**
 * The access token that calls carry, for another program. @param ttl milliseconds that it must be good for. Throws Exit 4 when
 * nobody is signed in or the sign-in is over, and Exit 1 when the issuer gives no token that lasts so long.
 */
export async function givenToken(context: Context, flag: string | undefined, ttl: Millis): Promise<string> {
  const given = flag === undefined ? readToken(context.env, context.platform) : null;
  if (given !== null) {
    requireLasting(context.env, given, context.clock(), ttl);
    return given;
  }
  const profile = requireProfile(context, flag);
  const session = await Session.open(context, profile);
  if (!session) throw signedOut(context, profile.name);
  const token = await session.accessToken(ttl);
  const tokens = session.stored();
  if (tokens?.accessToken === token && endsWithin(ttl, tokens, context.clock()))
    throw session.canRenew(tokens) ? tooShort(tokens) : endsSooner(context, session.profile, tokens);
  return token;
}

function endsWithin(ttl: Millis, { expiresAt }: Tokens, now: Millis): boolean {
  return ttl > 0 && expiresAt !== null && expiresAt - now < ttl;
}

/** It is as new as can be: another would end as soon. */
function tooShort({ expiresAt, obtainedAt }: Tokens): Exit {
  const seconds = Math.round(((expiresAt ?? 0) - obtainedAt) / 1000);
  return new Exit(
    EXIT.refused,
    "token_too_short",
    `This issuer's tokens last ${seconds} s, which is not as long as --min-ttl asks.`,
    `Ask for less than ${seconds}s, and again before it ends; only whoever runs the issuer can make them last longer.`,
  );
}

function endsSooner(context: Context, profile: string, { expiresAt }: Tokens): Exit {
  return new Exit(
    EXIT.signIn,
    "token_expired",
    `Your token ends at ${toIso(expiresAt ?? 0)}, sooner than --min-ttl asks, and cannot be renewed.`,
    `Type ${commandFor(context, "alai login", profile)}.`,
  );
}
