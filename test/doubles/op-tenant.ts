import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import OidcProvider from "oidc-provider";
import { configuration, signingKey } from "./op.ts";
import { type Certificate, certificateFor } from "./op-certificate.ts";
import type { SecureWay } from "./person.ts";
import { CompanyProxy } from "./proxy.ts";

/** What a double of a company's tenant at Microsoft is told. */
export interface TenantOptions {
  /** Its hosts; the certificate is for these. */
  readonly hosts: readonly string[];
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** Path before every endpoint, as in `/contoso.onmicrosoft.com/b2c_1_signin`. */
  readonly mount: string;
  /** True for the path of the metadata document. */
  isDiscovery(path: string): boolean;
  metadata(host: string): Readonly<Record<string, unknown>>;
  readonly redirectUris: readonly string[];
  /** Ports of redirect addresses are compared. */
  readonly exactPorts?: boolean;
  readonly apiScope: string;
  readonly tid: string;
  /** Whether another way than the browser's is offered. */
  readonly device?: boolean;
  /** What becomes of the token endpoint's answers. @param form what was asked for. */
  tokens?(answer: Record<string, unknown>, form: URLSearchParams): Readonly<Record<string, unknown>>;
}

/** A real provider under Microsoft's names and paths, over TLS, behind a proxy that knows the way. */
export class Tenant {
  /** Requests, as `METHOD /path`. */
  readonly asked: string[] = [];
  /** Laid over the metadata. */
  lie: Readonly<Record<string, unknown>> = {};
  readonly options: TenantOptions;
  readonly certificate: Certificate;
  readonly proxy: CompanyProxy;
  readonly #server: Server;

  private constructor(options: TenantOptions, certificate: Certificate, proxy: CompanyProxy, server: Server) {
    this.options = options;
    this.certificate = certificate;
    this.proxy = proxy;
    this.#server = server;
  }

  static async start(options: TenantOptions): Promise<Tenant> {
    const certificate = await certificateFor(options.hosts);
    const server = createServer({ key: certificate.key, cert: certificate.cert });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const proxy = await CompanyProxy.start(Object.fromEntries(options.hosts.map((host) => [host, port])));
    const tenant = new Tenant(options, certificate, proxy, server);
    const provider = new OidcProvider(options.issuer, await settings(options)).callback();
    server.on("request", (request, response) => tenant.#answer(request, response, provider));
    return tenant;
  }

  /** The environment of whoever is behind the company's proxy. */
  get env(): Readonly<Record<string, string>> {
    return { HTTPS_PROXY: this.proxy.url, NODE_EXTRA_CA_CERTS: this.certificate.caFile };
  }

  /** For the person's browser. */
  get way(): SecureWay {
    return { port: (this.#server.address() as AddressInfo).port, ca: this.certificate.ca };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    await this.certificate.remove();
  }

  #answer(request: IncomingMessage, response: ServerResponse, provider: Provider): void {
    const url = new URL(request.url ?? "/", `https://${request.headers.host}`);
    this.asked.push(`${request.method} ${url.pathname}`);
    const { isDiscovery, mount, metadata, tokens } = this.options;
    if (isDiscovery(url.pathname)) return void sendJson(response, { ...metadata(url.host), ...this.lie });
    if (!url.pathname.startsWith(`${mount}/`)) return void response.writeHead(404).end();
    // Microsoft's give a refresh token for the scope offline_access alone.
    if (url.pathname.endsWith("/authorize")) url.searchParams.set("prompt", "consent");
    const inner = `${url.pathname.slice(mount.length)}${url.search}`;
    Object.assign(request, { originalUrl: `${mount}${inner}`, url: inner });
    if (tokens && url.pathname.endsWith("/token")) {
      const form = bodyOf(request);
      changeJson(response, (answer) => tokens(answer, new URLSearchParams(form())));
    }
    provider(request, response);
  }
}

type Provider = (request: IncomingMessage, response: ServerResponse) => void;

async function settings(options: TenantOptions): Promise<Readonly<Record<string, unknown>>> {
  const usual = configuration([await signingKey()], {}) as {
    features: Record<string, unknown>;
    claims: Record<string, unknown>;
  };
  const { apiScope, tid, device = false, exactPorts = false, redirectUris } = options;
  const api = { scope: apiScope, audience: apiScope, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
  return {
    ...usual,
    clients: [
      {
        client_id: "alai",
        // The provider passes over the port for native clients alone.
        application_type: exactPorts ? "web" : "native",
        token_endpoint_auth_method: "none",
        redirect_uris: redirectUris,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
    ],
    claims: { ...usual.claims, openid: ["sub", "tid"] },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: async () => ({ sub, name: sub, tid }) }),
    routes: {
      authorization: "/oauth2/v2.0/authorize",
      token: "/oauth2/v2.0/token",
      jwks: "/discovery/v2.0/keys",
      device_authorization: "/oauth2/v2.0/devicecode",
    },
    features: {
      ...usual.features,
      deviceFlow: { enabled: device },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://alai.example/api",
        useGrantedResource: () => true,
        getResourceServerInfo: () => api,
      },
    },
  };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** What a handler reads of a request, as far as it has. Not by listening for data: it would find nothing left to read. */
function bodyOf(request: IncomingMessage): () => string {
  let body = "";
  const push = request.push.bind(request);
  request.push = (chunk, encoding) => {
    if (chunk) body += String(chunk);
    return push(chunk, encoding);
  };
  return () => body;
}

/** Changes what a handler is about to answer. */
function changeJson(response: ServerResponse, change: (answer: Record<string, unknown>) => unknown): void {
  const end = response.end.bind(response) as (body: string) => ServerResponse;
  response.end = ((body: unknown) => {
    if (response.statusCode !== 200 || body === undefined) return end(body as string);
    const changed = JSON.stringify(change(JSON.parse(String(body))));
    response.setHeader("content-length", Buffer.byteLength(changed));
    return end(changed);
  }) as ServerResponse["end"];
}
