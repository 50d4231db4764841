import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import OidcProvider from "oidc-provider";

export interface OpOptions {
  /** Seconds that an access token is good; a test may change it for the next ones. */
  readonly life?: number;
  /** Seconds that a code for another device is good. */
  readonly codeLife?: number;
  /** A token that the provider looks up can be taken back; one that says everything itself cannot. */
  readonly format?: "jwt" | "opaque";
}

/** An answer in place of the provider's own. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const SCOPE = "tasks.read tasks.write";

/** A real OpenID provider for the CLI to sign in with: PKCE required, rotating refresh tokens, device codes, revocation. */
export class Op {
  readonly issuer: string;
  /** Hears the body of every request and answer. */
  hears: ((text: string) => void) | null = null;
  readonly #server: Server;
  /** Requests, as `METHOD /path grant_type`. */
  readonly asked: string[] = [];
  /** Comes before the provider: may wait, and may answer in its place. */
  meanwhile: ((path: string, method: string) => Promise<Reply | undefined> | Reply | undefined) | null = null;

  /** Milliseconds that answers of /token are held back after the provider has done its work: a refresh token is used up then. */
  late = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: OpOptions = {}): Promise<Op> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const op = new Op(server);
    const provider = new OidcProvider(op.issuer, configuration([await signingKey()], options));
    const answer = provider.callback();
    server.on("request", async (request, response) => {
      const [path = "", method = ""] = [(request.url ?? "").split("?")[0], request.method];
      op.asked.push(`${method} ${path}`);
      op.#hear(request, response);
      const reply = await op.meanwhile?.(path, method);
      if (path === "/token") op.#holdBack(response);
      if (!reply) return answer(request, response);
      response.writeHead(reply.status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(reply.body));
    });
    return op;
  }

  #hear(request: IncomingMessage, response: ServerResponse): void {
    const { hears } = this;
    if (!hears) return;
    // Not by listening for data: the provider would find nothing left to read.
    const push = request.push.bind(request);
    request.push = (chunk, encoding) => {
      if (chunk) hears(chunk.toString());
      return push(chunk, encoding);
    };
    const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
    response.end = ((body?: unknown) => {
      hears(String(response.getHeader("location") ?? ""));
      if (typeof body === "string" || Buffer.isBuffer(body)) hears(body.toString());
      return end(body);
    }) as ServerResponse["end"];
  }

  #holdBack(response: ServerResponse): void {
    const { late } = this;
    if (late === 0) return;
    const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
    response.end = ((body?: unknown) => {
      setTimeout(() => end(body), late);
      return response;
    }) as ServerResponse["end"];
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

export async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: "RS256", use: "sig" };
}

/** Set up as a company would for alai. */
export function configuration(keys: readonly unknown[], options: OpOptions): Readonly<Record<string, unknown>> {
  const { life = 600, codeLife = 60, format = "jwt" } = options;
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
      DeviceCode: codeLife,
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
          accessTokenFormat: format,
          accessTokenTTL: options.life ?? 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}
