import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { removeSealed } from "../kit/sealed/store.ts";
import { issuerClient } from "./client.ts";
import type { Profile } from "./profile.ts";
import { Session } from "./session.ts";

/** How a sign-out went: what is on this machine is gone in any case. */
export interface SignedOut {
  readonly wasSignedIn: boolean;
  /** Null: the issuer has no way to take tokens back. */
  readonly revoked: boolean | null;
  /** Why it is not revoked. */
  readonly why: string | null;
}

/** Takes the tokens back at the issuer (RFC 7009) and removes everything sealed of the profile, and its key. */
export async function signOut(context: Context, profile: Profile): Promise<SignedOut> {
  const tokens = (await Session.open(context, profile))?.stored() ?? null;
  const result: SignedOut = tokens
    ? await revoke(context, profile, tokens.refreshToken ?? tokens.accessToken)
    : { wasSignedIn: false, revoked: null, why: null };
  await removeSealed(context, profile.name);
  return result;
}

async function revoke(context: Context, profile: Profile, token: string): Promise<SignedOut> {
  try {
    const { openid, config, metadata } = await issuerClient(context, profile.issuer);
    if (metadata.revocation_endpoint === undefined) return { wasSignedIn: true, revoked: null, why: null };
    await openid.tokenRevocation(config, token);
    return { wasSignedIn: true, revoked: true, why: null };
  } catch (error) {
    return { wasSignedIn: true, revoked: false, why: toFailure(error).message };
  }
}
