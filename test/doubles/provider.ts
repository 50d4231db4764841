import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import OidcProvider from "oidc-provider";
import { Person } from "./person.ts";

/** What signing in gives. */
export interface Tokens {
  readonly access_token: string;
  readonly id_token?: string;
}

const CALLBACK = "http://127.0.0.1/callback";
const SCOPES = "tasks.read tasks.write";

/** A real OpenID provider, on loopback: a certified implementation, not written by us. */
export class Provider {
  readonly issuer: string;
  readonly #server: Server;
  readonly #keys: JWK[] = [];
  #handle: RequestListener = (_, response) => response.end();

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => this.#handle(request, response));
  }

  static async start(): Promise<Provider> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const provider = new Provider(server);
    await provider.rotate();
    return provider;
  }

  /** Signs with a new key from now on; the old ones stay published. */
  async rotate(): Promise<void> {
    const { privateKey } = await generateKeyPair("RS256", { extractable: true });
    this.#keys.unshift({ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig" });
    this.#handle = new OidcProvider(this.issuer, configuration(this.#keys)).callback();
  }

  /** As a machine signs in: with a secret of its own. */
  async machine(scope = SCOPES): Promise<Tokens> {
    const authorization = `Basic ${Buffer.from("ci:secret-secret-secret").toString("base64")}`;
    return this.#token({ grant_type: "client_credentials", scope }, { authorization });
  }

  /** As a person signs in: code and PKCE, through the pages of the provider. */
  async person(login: string): Promise<Tokens> {
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
      client_id: "cli",
      response_type: "code",
      redirect_uri: CALLBACK,
      scope: `openid ${SCOPES}`,
      nonce: "n-0S6_WzA2Mj",
      code_challenge_method: "S256",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    });
    const came = await new Person(login).signIn(`${this.issuer}/auth?${query}`, ({ href }) =>
      href.startsWith(CALLBACK),
    );
    return this.#token({
      grant_type: "authorization_code",
      client_id: "cli",
      code: came.searchParams.get("code") ?? "",
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #token(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Tokens> {
    const response = await fetch(`${this.issuer}/token`, { method: "POST", headers, body: new URLSearchParams(form) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Tokens;
  }
}

function configuration(keys: readonly JWK[]): Readonly<Record<string, unknown>> {
  return {
    jwks: { keys },
    cookies: { keys: ["test"] },
    clients: [
      {
        client_id: "cli",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: [CALLBACK],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
      {
        client_id: "ci",
        client_secret: "secret-secret-secret",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["openid"],
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: async () => ({ sub }) }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://alai.example/api",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPES,
          audience: "api://alai",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}
