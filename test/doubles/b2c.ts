import { Tenant } from "./op-tenant.ts";

/**
 * Azure AD B2C as its documents and users describe it (facts/login-secrets-packaging.md, 1.2), with a real provider behind it: the
 * issuer is another address than the metadata's and ends with a slash, the metadata says nothing of PKCE, `expires_in` is a text,
 * ports are compared, there is no device endpoint, and without a scope of an API there is no access token: neither for a code
 * nor for a refresh token, where each request says the scope anew.
 */

export const B2C_HOST = "contoso.b2clogin.com";
export const B2C_TENANT = "775527ff-9a37-4307-8b3d-cc311f58d925";
export const B2C_ISSUER = `https://${B2C_HOST}/${B2C_TENANT}/v2.0/`;
/** As people give it. */
export const B2C_ADDRESS = `https://${B2C_HOST}/contoso.onmicrosoft.com/B2C_1_signin/v2.0`;
export const B2C_SCOPE = "https://contoso.onmicrosoft.com/api/tasks.read";
/** Registered at the tenant. */
export const B2C_PORTS = [8400, 8401, 8402] as const;

const MOUNT = "/contoso.onmicrosoft.com/b2c_1_signin";

export function startB2c(ports: readonly number[] = B2C_PORTS): Promise<Tenant> {
  return Tenant.start({
    hosts: [B2C_HOST],
    issuer: B2C_ISSUER,
    mount: MOUNT,
    isDiscovery: (path) => path === "/contoso.onmicrosoft.com/B2C_1_signin/v2.0/.well-known/openid-configuration",
    metadata: (host) => ({
      issuer: B2C_ISSUER,
      authorization_endpoint: `https://${host}${MOUNT}/oauth2/v2.0/authorize`,
      token_endpoint: `https://${host}${MOUNT}/oauth2/v2.0/token`,
      end_session_endpoint: `https://${host}${MOUNT}/oauth2/v2.0/logout`,
      jwks_uri: `https://${host}${MOUNT}/discovery/v2.0/keys`,
      response_modes_supported: ["query", "fragment", "form_post"],
      response_types_supported: ["code", "code id_token", "id_token"],
      scopes_supported: ["openid"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
      claims_supported: ["sub", "iss", "aud", "exp", "iat"],
    }),
    redirectUris: ports.map((port) => `http://localhost:${port}/callback`),
    exactPorts: true,
    apiScope: B2C_SCOPE,
    tid: B2C_TENANT,
    tokens({ access_token, expires_in, ...answer }, form) {
      const asked = form.get("grant_type") === "refresh_token" ? form.get("scope") : answer.scope;
      const hasApi = String(asked).split(" ").includes(B2C_SCOPE);
      return { ...answer, ...(hasApi && { access_token, expires_in: String(expires_in) }), not_before: 0 };
    },
  });
}
