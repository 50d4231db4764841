import type * as Openid from "openid-client";
import type { Context } from "../kit/context.ts";
import { isLoopback } from "../kit/loopback.ts";
import { type IssuerFetch, issuerFetch } from "./fetch.ts";
import { ANY_TENANT, fetchMetadata, type Metadata, requireExpected } from "./metadata.ts";
import type { IssuerProfile } from "./profile.ts";

/** openid-client, set up for one issuer. */
export interface IssuerClient {
  readonly openid: typeof Openid;
  readonly config: Openid.Configuration;
  readonly metadata: Metadata;
  readonly profile: IssuerProfile;
}

const SECONDS = 15;

/** Reads the issuer's metadata, checks it, and sets the client up. Throws as `fetchMetadata` and `requireExpected` do. */
export async function issuerClient(context: Context, profile: IssuerProfile, secret?: string): Promise<IssuerClient> {
  const [openid, metadata] = await Promise.all([import("openid-client"), fetchMetadata(context, profile.discoveryUrl)]);
  requireExpected(metadata, profile);
  const authentication = secret === undefined ? openid.None() : openid.ClientSecretPost(secret);
  const config = new openid.Configuration(
    { ...metadata, issuer: issuerOf(metadata, profile) } as Openid.ServerMetadata,
    profile.clientId,
    undefined,
    authentication,
  );
  config.timeout = SECONDS;
  config[openid.customFetch] = issuerFetch(context) as IssuerFetch & Openid.CustomFetch;
  if (isLoopback(new URL(profile.discoveryUrl))) openid.allowInsecureRequests(config);
  return { openid, config, metadata, profile };
}

/** Tokens of an endpoint for many tenants name the tenant in `iss`. */
function issuerOf({ issuer }: Metadata, { allowedTenants: [tenant = ""] }: IssuerProfile): string {
  return issuer.replace(ANY_TENANT, tenant);
}
