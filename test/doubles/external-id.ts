import { Tenant } from "./op-tenant.ts";

/**
 * Microsoft Entra External ID (facts/login-secrets-packaging.md, 1.2): its metadata is found by the tenant's name, and says that
 * the issuer is at the host of the tenant's id. Any port of http://localhost will do. A refresh that names no API gets a token
 * for none that is the company's own.
 */

export const EXTERNAL_TENANT = "bbbbaaaa-0000-1111-2222-333344445555";
export const EXTERNAL_HOST = `${EXTERNAL_TENANT}.ciamlogin.com`;
export const EXTERNAL_ISSUER = `https://${EXTERNAL_HOST}/${EXTERNAL_TENANT}/v2.0`;
export const NAMED_HOST = "contoso.ciamlogin.com";
/** As people give it. */
export const NAMED_ADDRESS = `https://${NAMED_HOST}/contoso.onmicrosoft.com/v2.0`;
export const EXTERNAL_SCOPE = "api://0a1b2c3d/tasks.read";

/** Stands for a token that the company's server would refuse. */
export const OTHER_API = "token-for-another-api";

/** The metadata is at both addresses, as the real one's; each host says its own endpoints. */
export function startExternalId(): Promise<Tenant> {
  return Tenant.start({
    hosts: [NAMED_HOST, EXTERNAL_HOST],
    issuer: EXTERNAL_ISSUER,
    mount: `/${EXTERNAL_TENANT}`,
    isDiscovery: (path) =>
      path.replace("contoso.onmicrosoft.com", EXTERNAL_TENANT) ===
      `/${EXTERNAL_TENANT}/v2.0/.well-known/openid-configuration`,
    metadata: (host) => entraMetadata(host, EXTERNAL_ISSUER, EXTERNAL_TENANT),
    redirectUris: ["http://localhost/callback"],
    apiScope: EXTERNAL_SCOPE,
    tid: EXTERNAL_TENANT,
    device: true,
    tokens: (answer, form) => {
      const isForApi =
        form.get("grant_type") !== "refresh_token" || form.get("scope")?.split(" ").includes(EXTERNAL_SCOPE);
      return isForApi ? answer : { ...answer, access_token: OTHER_API, scope: "openid profile" };
    },
  });
}

export const ENTRA_HOST = "login.microsoftonline.com";

/** Entra's addresses for users of any tenant: the issuer in the metadata is a pattern, the one in tokens a tenant's own. */
export function startManyTenants(tid: string): Promise<Tenant> {
  return Tenant.start({
    hosts: [ENTRA_HOST],
    issuer: `https://${ENTRA_HOST}/${tid}/v2.0`,
    mount: "/common",
    isDiscovery: (path) => path === "/common/v2.0/.well-known/openid-configuration",
    metadata: (host) => entraMetadata(host, `https://${ENTRA_HOST}/{tenantid}/v2.0`, "common"),
    redirectUris: ["http://localhost/callback"],
    apiScope: EXTERNAL_SCOPE,
    tid,
  });
}

function entraMetadata(host: string, issuer: string, path: string): Readonly<Record<string, unknown>> {
  const base = `https://${host}/${path}`;
  return {
    issuer,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
  };
}
