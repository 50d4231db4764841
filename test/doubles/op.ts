import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import OidcProvider from "oidc-provider";

export interface OpOptions {
  /** Seconds that an access token is good. */
  readonly life?: number;
}

const SCOPE = "tasks.read tasks.write";

/** A real OpenID provider for the CLI to sign in with: PKCE required, rotating refresh tokens, device codes, revocation. */
export class Op {
  readonly issuer: string;
  readonly #server: Server;
  /** Requests, as `METHOD /path grant_type`. */
  readonly asked: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: OpOptions = {}): Promise<Op> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const op = new Op(server);
    const { privateKey } = await generateKeyPair("RS256", { extractable: true });
    const key = { ...(await exportJWK(privateKey)), alg: "RS256", use: "sig" };
    const provider = new OidcProvider(op.issuer, configuration([key], options));
    const answer = provider.callback();
    server.on("request", (request, response) => {
      op.asked.push(`${request.method} ${(request.url ?? "").split("?")[0]}`);
      answer(request, response);
    });
    return op;
  }

  count(request: string): number {
    return this.asked.filter((one) => one === request).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function configuration(keys: readonly unknown[], { life = 600 }: OpOptions): Readonly<Record<string, unknown>> {
  return {
    jwks: { keys },
    cookies: { keys: ["test"] },
    clients: [
      {
        client_id: "alai",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        response_types: ["code"],
      },
      {
        client_id: "ci",
        client_secret: "secret-secret-secret",
        token_endpoint_auth_method: "client_secret_post",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    pkce: { required: () => true },
    scopes: ["openid", "offline_access", "profile", "email"],
    claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
    conformIdTokenClaims: false,
    findAccount: (_: unknown, sub: string) => ({
      accountId: sub,
      claims: async () => ({ sub, email: `${sub}@example.com`, name: sub }),
    }),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: life,
      ClientCredentials: life,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 86_400,
      DeviceCode: 60,
      Interaction: 600,
      IdToken: 600,
    },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://alai.example/api",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: "api://alai",
          accessTokenFormat: "jwt",
          accessTokenTTL: life,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}
