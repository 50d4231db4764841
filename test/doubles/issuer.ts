import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** A signing key of the issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function makeKey(kid: string, alg = "RS256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** How it misbehaves. */
export type Trouble =
  | "down"
  /** Ends each connection that was kept, when it is used again. */
  | "forgetful"
  | "slow"
  | "status"
  | "redirect"
  | "huge"
  | "no-json"
  | "no-keys"
  | "foreign-metadata";

/**
 * Stands in for an OpenID provider's published part: metadata and keys over HTTP on loopback, and tokens signed by real keys.
 * As a real one it answers GET only, and 404 for anything else; it never publishes a private key.
 */
export class Issuer {
  readonly keys: IssuerKey[] = [];
  /** Paths asked for, in order. */
  readonly asked: string[] = [];
  trouble: Trouble | null = null;
  readonly #used = new WeakSet<Socket>();
  readonly #server: Server;
  readonly #slash: boolean;

  private constructor(server: Server, slash: boolean) {
    this.#server = server;
    this.#slash = slash;
  }

  /** @param trailingSlash the issuer's name ends with one, as B2C's does. */
  static async start(trailingSlash = false): Promise<Issuer> {
    // A test that keeps the processor busy for longer than the usual five seconds finds its connection as it was.
    const server = createServer({ keepAliveTimeout: 120_000 });
    const issuer = new Issuer(server, trailingSlash);
    server.on("request", (request, response) => issuer.#answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    issuer.keys.push(await makeKey("k1"));
    return issuer;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As tokens have it in `iss`. */
  get issuer(): string {
    return this.#slash ? `${this.origin}/` : this.origin;
  }

  get jwksUri(): string {
    return `${this.origin}/keys`;
  }

  /** How often the keys were read. */
  get reads(): number {
    return this.asked.filter((path) => path === "/keys").length;
  }

  get key(): IssuerKey {
    const key = this.keys.at(-1);
    if (!key) throw new Error("the issuer has no key");
    return key;
  }

  /** Signs with a new key from now on. @param keep old keys are published for a while, as real issuers do. */
  async rotate(keep = true): Promise<void> {
    const key = await makeKey(`k${this.keys.length + 1}`);
    if (!keep) this.keys.length = 0;
    this.keys.push(key);
  }

  /** The claims of a good access token. @param change undefined takes a claim away. */
  claims(change: Readonly<Record<string, unknown>> = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: "api://alai",
      sub: "ann",
      iat: now,
      exp: now + 600,
      scope: "tasks.read tasks.write",
      azp: "cli",
      tid: "tenant",
      tfp: "B2C_1_signin",
      ...change,
    };
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  }

  /** An access token; by default a good one. */
  token(
    change: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
    key = this.key,
  ): Promise<string> {
    const parts = { alg: key.alg, kid: key.kid, typ: "at+jwt", ...header };
    const set = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
    return new SignJWT(this.claims(change)).setProtectedHeader(set as { alg: string }).sign(key.privateKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.asked.push(path);
    if (this.trouble === "down") return void request.socket.destroy();
    if (this.trouble === "forgetful" && this.#used.has(request.socket)) return void request.socket.destroy();
    this.#used.add(request.socket);
    if (this.trouble === "slow") return;
    if (this.trouble === "status") return void response.writeHead(500).end();
    if (this.trouble === "redirect" && !path.startsWith("/moved"))
      return void response.writeHead(302, { location: `${this.origin}/moved${path}` }).end();
    if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
    const body = this.#body(path.replace("/moved", ""));
    if (body === null) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  }

  #body(path: string): string | null {
    if (path === "/.well-known/openid-configuration" || path === "/elsewhere/metadata") {
      const issuer = this.trouble === "foreign-metadata" ? "https://evil.example" : this.issuer;
      return JSON.stringify({ issuer, jwks_uri: this.jwksUri });
    }
    if (path !== "/keys") return null;
    if (this.trouble === "no-json") return "<html>";
    if (this.trouble === "no-keys") return JSON.stringify({ keys: [] });
    const padding = this.trouble === "huge" ? "x".repeat(300_000) : "";
    return JSON.stringify({ keys: this.keys.map((key) => key.publicJwk), padding });
  }
}
