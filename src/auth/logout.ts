import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { removeSealed, removeSealedFiles } from "../kit/sealed/store.ts";
import { issuerClient } from "./client.ts";
import { oauthCode, signInFailure } from "./flows/refusals.ts";
import { WELL_KNOWN } from "./metadata.ts";
import type { IssuerProfile, Profile } from "./profile.ts";
import { Session } from "./session.ts";
import type { Tokens } from "./tokens.ts";

/** How a sign-out went: what is on this machine is gone in any case. */
export interface SignedOut {
  readonly wasSignedIn: boolean;
  /** Null: the issuer has no way to take tokens back, or none for this kind. */
  readonly revoked: boolean | null;
  /** Why it is not revoked; null too where the issuer offers no way at all. */
  readonly why: string | null;
}

/** RFC 7009, 2.2.1: a server may know one kind of token only, for example those that it looks up. */
const OTHER_KIND = "a token of this kind cannot be taken back at this issuer";
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
  let asked = profile;
  let secret: string | null = null;
  try {
    const tokens = session.kept();
    if (!tokens) return NOBODY;
    asked = { ...profile, issuer: issuerOf(tokens, profile) };
    // A machine's client is refused without it (RFC 7009, 2.1).
    secret = session.secretFor(tokens);
    const { openid, config, metadata } = await issuerClient(context, asked.issuer, secret ?? undefined);
    if (metadata.revocation_endpoint === undefined) return { wasSignedIn: true, revoked: null, why: null };
    await openid.tokenRevocation(config, tokens.refreshToken ?? tokens.accessToken);
    return { wasSignedIn: true, revoked: true, why: null };
  } catch (error) {
    if (oauthCode(error) === "unsupported_token_type") return { wasSignedIn: true, revoked: null, why: OTHER_KIND };
    const { message } = toFailure(signInFailure(error, context, asked, secret !== null));
    return { wasSignedIn: true, revoked: false, why: message };
  }
}

/** Tokens go back to whom they came from. Where the profile has moved to another issuer, the old one is asked where all are. */
function issuerOf({ issuer, clientId }: Tokens, profile: Profile): IssuerProfile {
  const { discoveryUrl, ...now } = profile.issuer;
  if (issuer === now.issuer) return { ...now, discoveryUrl, clientId };
  return { ...now, kind: "generic", issuer, clientId, discoveryUrl: `${issuer.replace(/\/$/, "")}${WELL_KNOWN}` };
}
