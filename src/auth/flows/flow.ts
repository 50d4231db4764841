import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from "openid-client";
import type { Context } from "../../kit/context.ts";
import type { IssuerClient } from "../client.ts";

export type Granted = TokenEndpointResponse & TokenEndpointResponseHelpers;

/** One way to sign a person in. Throws Exit: 4 refused, 69 no answer, 130 interrupted. */
export interface FlowWorld {
  readonly context: Context;
  readonly client: IssuerClient;
  /** Milliseconds that the person may take. */
  readonly limit: number;
  /** What to type to try again, for the profile that is meant. */
  readonly again: string;
}

/** What the sign-in page is asked for, and what its answer is checked against. PKCE, state and nonce always (S256 works also where the metadata says nothing of it). */
export interface Asked {
  readonly url: URL;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Scopes that alai adds by itself, and that some issuers refuse. */
const OPTIONAL: readonly string[] = ["profile", "email", "offline_access"];

/** What is asked for, without those of our own that the issuer says it has not. Microsoft's lists are not complete. */
export function scopesFor({ metadata, profile }: IssuerClient): readonly string[] {
  const { scopes_supported: known } = metadata;
  if (profile.kind !== "generic" || !Array.isArray(known)) return profile.scopes;
  return profile.scopes.filter((scope) => !OPTIONAL.includes(scope) || known.includes(scope));
}

export async function askFor(client: IssuerClient, redirectUri: string): Promise<Asked> {
  const { openid, config, profile } = client;
  const scopes = scopesFor(client);
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const nonce = openid.randomNonce();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    // Without it some issuers give no refresh token although offline_access is asked for.
    ...(profile.kind === "generic" && scopes.includes("offline_access") && { prompt: "consent" }),
    ...(profile.audience !== null && { resource: profile.audience }),
  });
  return { url, redirectUri, state, nonce, verifier };
}

/** Exchanges the code in the address that the browser came back with. */
export function exchange({ openid, config, profile }: IssuerClient, came: URL, asked: Asked): Promise<Granted> {
  return openid.authorizationCodeGrant(
    config,
    came,
    {
      pkceCodeVerifier: asked.verifier,
      expectedState: asked.state,
      expectedNonce: asked.nonce,
      idTokenExpected: profile.scopes.includes("openid"),
    },
    profile.audience === null ? undefined : { resource: profile.audience },
  );
}
