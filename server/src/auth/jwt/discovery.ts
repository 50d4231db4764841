import { type Fetch, remoteJson, requireSafeUrl } from "./remote-json.ts";

/** Where an issuer's keys are: said outright, or found out from its metadata. */
export interface KeySource {
  /** As tokens have it in `iss`, to the byte. */
  readonly issuer: string;
  readonly jwksUri?: string | undefined;
  /** Where the metadata is, when it is not below the issuer. */
  readonly discoveryUrl?: string | undefined;
}

/** The address of the keys. Throws when the metadata is another issuer's. */
export async function findJwksUri({ issuer, jwksUri, discoveryUrl }: KeySource, fetch: Fetch): Promise<URL> {
  if (jwksUri !== undefined) return requireSafeUrl(jwksUri, "The address of the keys");
  const address = discoveryUrl ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const metadata = await remoteJson(requireSafeUrl(address, "The address of the metadata"), fetch);
  if (metadata.issuer !== issuer)
    throw new Error(
      `the metadata at ${address} is of the issuer ${String(metadata.issuer).slice(0, 200)}, not ${issuer}`,
    );
  return requireSafeUrl(String(metadata.jwks_uri), "jwks_uri");
}
