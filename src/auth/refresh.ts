import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { isOver } from "./age.ts";
import { type IssuerClient, issuerClient } from "./client.ts";
import { oauthCode, signInFailure } from "./flows/refusals.ts";
import { tokensFrom } from "./grant.ts";
import type { IssuerProfile, Profile } from "./profile.ts";
import { expired } from "./sign-in-needed.ts";
import type { Room, TokenStore } from "./token-store.ts";
import type { Tokens } from "./tokens.ts";

/** For the issuer to say how it is asked, while there is a token that is good. */
const EARLY: Millis = 3000;
const SLOW = "The issuer does not answer in time.";

/** What a refresh works on. The caller holds the profile's lock. */
export interface RefreshWorld {
  readonly context: Context;
  readonly profile: Profile;
  readonly store: TokenStore;
}

/**
 * Asks the issuer for tokens in place of these, and keeps them. Tokens that cannot be renewed are given back while they are
 * good. The room is taken first: a new refresh token that cannot be kept is a sign-in that is over. Throws Exit 4 or 69.
 */
export async function refreshed(world: RefreshWorld, tokens: Tokens): Promise<Tokens> {
  const { context, profile, store } = world;
  const secret = store.secret();
  if (tokens.refreshToken === null && secret === null) {
    if (isOver(tokens, context.clock())) throw expired(context, profile.name);
    return tokens;
  }
  const room = store.reserve(tokens);
  try {
    const exchange = exchanged(world, await clientFor(world, secret, tokens), tokens, room);
    // A command that no longer waits for the token does not end before it is kept, nor close the issuer's client.
    context.onExit(() => exchange.catch(() => {}));
    return await exchange;
  } catch (error) {
    throw signInFailure(error, context, profile, secret !== null);
  } finally {
    room.giveBack();
  }
}

/** From here on the refresh token is used up, and what the issuer answers is all there is. */
async function exchanged(world: RefreshWorld, client: IssuerClient, tokens: Tokens, room: Room): Promise<Tokens> {
  try {
    const next = await granted(world, client, tokens);
    // Somebody signed in or out meanwhile without the lock, as an older alai does: theirs stays.
    const now = world.store.stored();
    if (now?.refreshToken !== tokens.refreshToken || now.accessToken !== tokens.accessToken) return now ?? next;
    room.write(next);
    return next;
  } catch (error) {
    if (oauthCode(error) === "invalid_grant") return replaced(world, tokens);
    throw error;
  }
}

async function granted(
  { context, profile: { issuer } }: RefreshWorld,
  { openid, config }: IssuerClient,
  tokens: Tokens,
): Promise<Tokens> {
  const now = context.clock();
  const resource = issuer.audience === null ? undefined : { resource: issuer.audience };
  const answer =
    tokens.refreshToken === null
      ? await openid.clientCredentialsGrant(config, { scope: tokens.scopes.join(" "), ...resource })
      : await openid.refreshTokenGrant(config, tokens.refreshToken, { ...scopeAgain(tokens, issuer), ...resource });
  return tokensFrom(answer, issuer, now, tokens.flow, tokens);
}

/**
 * Microsoft's issuers take the scope of the API from each request anew: without it B2C gives no access token, and Entra one for
 * another API. Everywhere else leaving it out means what was granted (RFC 6749, 6), which may be less than was asked for, and
 * to ask for more is refused.
 */
function scopeAgain({ asked }: Tokens, { kind, scopes }: IssuerProfile): { scope?: string } {
  return kind === "generic" ? {} : { scope: (asked ?? scopes).join(" ") };
}

/** Nothing is asked for yet, so it may be given up: early while the token is good, because then nobody needs the issuer. */
async function clientFor(
  { context, profile }: RefreshWorld,
  secret: string | null,
  tokens: Tokens,
): Promise<IssuerClient> {
  const client = issuerClient(context, profile.issuer, secret ?? undefined);
  if (isOver(tokens, context.clock())) return client;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Exit(EXIT.unavailable, "issuer_unavailable", SLOW, "Try again.")), EARLY);
  });
  // Given up or not, what it ends with is nobody's surprise.
  client.catch(() => {});
  return Promise.race([client, late]).finally(() => clearTimeout(timer));
}

/** Only what the issuer itself says is over is thrown away, and only while it is what is stored. Throws Exit 4 then. */
function replaced({ context, profile, store }: RefreshWorld, refused: Tokens): Tokens {
  const now = store.stored();
  if (now && now.refreshToken !== refused.refreshToken) return now;
  store.forget();
  throw expired(context, profile.name);
}
