import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { removeSealed, removeSealedFiles } from "../kit/sealed/store.ts";
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

const NOBODY: SignedOut = { wasSignedIn: false, revoked: null, why: null };

/** Takes the tokens back at the issuer (RFC 7009) and removes everything sealed of the profile, and its key. */
export async function signOut(context: Context, profile: Profile): Promise<SignedOut> {
  let session: Session | null;
  try {
    session = await Session.open(context, profile);
  } catch (error) {
    // Its key cannot be had, or is lost: the files go all the same.
    removeSealedFiles(context, profile.name);
    return { wasSignedIn: true, revoked: false, why: toFailure(error).message };
  }
  if (!session) {
    await removeSealed(context, profile.name);
    return NOBODY;
  }
  const open = session;
  // Not while another process renews: it would keep new tokens afterwards.
  return open.locked(async () => {
    const result = await revoked(context, profile, open);
    await removeSealed(context, profile.name);
    return result;
  });
}

async function revoked(context: Context, profile: Profile, session: Session): Promise<SignedOut> {
  try {
    const tokens = session.stored();
    if (!tokens) return NOBODY;
    const { openid, config, metadata } = await issuerClient(context, profile.issuer);
    if (metadata.revocation_endpoint === undefined) return { wasSignedIn: true, revoked: null, why: null };
    await openid.tokenRevocation(config, tokens.refreshToken ?? tokens.accessToken);
    return { wasSignedIn: true, revoked: true, why: null };
  } catch (error) {
    return { wasSignedIn: true, revoked: false, why: toFailure(error).message };
  }
}
