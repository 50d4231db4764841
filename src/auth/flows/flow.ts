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
}

/** What the sign-in page is asked for, and what its answer is checked against. PKCE, state and nonce always (S256 works also where the metadata says nothing of it). */
export interface Asked {
  readonly url: URL;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export async function askFor({ openid, config, profile }: IssuerClient, redirectUri: string): Promise<Asked> {
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const nonce = openid.randomNonce();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: profile.scopes.join(" "),
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    // Without it some issuers give no refresh token although offline_access is asked for.
    ...(profile.kind === "generic" && profile.scopes.includes("offline_access") && { prompt: "consent" }),
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
