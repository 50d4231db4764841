import { createHash, timingSafeEqual } from "node:crypto";
import { lookup } from "node:dns/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { networkInterfaces } from "node:os";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { Host } from "../manifest/model.ts";
import type { Log } from "./log.ts";
import { sentenceOf } from "./log.ts";

/** What one path answers. */
export interface Page {
  readonly type: string;
  readonly status: number;
  readonly body: string;
}

export type Pages = Readonly<Record<string, (query: URLSearchParams) => Page>>;

export interface ServeOptions {
  readonly host: Host;
  readonly token: string | null;
  readonly pages: Pages;
  readonly log: Log;
}

const LOOPBACK = "127.0.0.1";

/**
 * Serves the agent's pages on loopback, for whoever is on this machine, and on those of the host's addresses that are this
 * machine's, for whoever has the token. Without a token nothing is served to other machines.
 */
export class AgentServer implements AsyncDisposable {
  readonly #options: ServeOptions;
  readonly #servers: Server[] = [];

  constructor(options: ServeOptions) {
    this.#options = options;
  }

  /** Throws Exit 69 when the port on loopback is taken. An address that cannot be listened on is said, and tried again by `addresses`. */
  async start(): Promise<void> {
    await this.#listen(LOOPBACK, false);
    this.#options.log.info("serves", { address: LOOPBACK, port: this.#options.host.port });
    if (this.#options.token === null)
      this.#options.log.warn(
        "serves this machine only: other machines' watch and status take this host for down. Set ALAI_DR_TOKEN, the same on every host, and start the agent anew.",
      );
    else {
      await this.addresses();
      this.#sayUnserved();
    }
  }

  readonly #listening = new Set<string>();
  /** As the manifest has them: those that are this machine's. */
  readonly #served = new Set<string>();

  /** Listens on those addresses of the host that this machine has by now: a tunnel may come up later than the agent. */
  async addresses(): Promise<void> {
    const { host, token, log } = this.#options;
    if (token === null) return;
    const own = ownAddresses();
    for (const name of host.addresses) {
      const address = await lookup(name).then(
        ({ address: found }) => found,
        () => null,
      );
      if (address !== null && own.has(address) && !isLoopback(address)) this.#served.add(name);
      if (address === null || !own.has(address) || this.#listening.has(address) || isLoopback(address)) continue;
      try {
        await this.#listen(address, true);
        log.info("serves, to those who have the token", { address, port: host.port });
      } catch (error) {
        log.warn("an address cannot be served on", { address, reason: sentenceOf(error) });
      }
    }
  }

  /** An address that belongs to no interface here is a tunnel that is not up yet, or a slip in the manifest. */
  #sayUnserved(): void {
    const { host, log } = this.#options;
    const elsewhere = host.addresses.filter((name) => !isLoopback(name) && !this.#served.has(name));
    for (const address of elsewhere)
      log.warn(
        "an address of this host is on no interface of this machine: others cannot reach its agent there. It is tried again.",
        { address },
      );
    if (elsewhere.length > 0 && this.#served.size === 0)
      log.warn("serves this machine only: no address of this host in the manifest is this machine's.");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    );
  }

  async #listen(address: string, guarded: boolean): Promise<void> {
    const server = createServer((asked, answer) => this.#answer(asked, answer, guarded));
    server.requestTimeout = 10_000;
    server.headersTimeout = 5000;
    server.maxConnections = 64;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(this.#options.host.port, address, resolve);
    await promise.catch((error: unknown) => {
      throw isTaken(error) ? taken(address, this.#options.host) : error;
    });
    server.off("error", reject);
    server.on("error", (error) => this.#options.log.warn("the server has trouble", { reason: sentenceOf(error) }));
    this.#servers.push(server);
    this.#listening.add(address);
  }

  #answer(asked: IncomingMessage, answer: ServerResponse, guarded: boolean): void {
    const url = URL.parse(asked.url ?? "", "http://agent");
    const page = this.#page(asked, url, guarded);
    answer.writeHead(page.status, {
      "content-type": page.type,
      "content-length": Buffer.byteLength(page.body),
      "cache-control": "no-store",
      ...(page.status === 401 && { "www-authenticate": "Bearer" }),
    });
    answer.end(asked.method === "HEAD" ? undefined : page.body);
  }

  #page(asked: IncomingMessage, url: URL | null, guarded: boolean): Page {
    if (guarded && !isToken(asked.headers.authorization, this.#options.token)) return said(401, "A token is needed.");
    // A page in a browser of this machine must not read reports by a name of its own that leads here.
    if (!guarded && !isLocalName(asked.headers.host)) return said(403, "Ask for 127.0.0.1 by its address.");
    if (asked.method !== "GET" && asked.method !== "HEAD") return said(405, "Only GET is served.");
    const make = url ? this.#options.pages[url.pathname] : undefined;
    if (!url || !make) return said(404, `Served are: ${Object.keys(this.#options.pages).join(", ")}.`);
    try {
      return make(url.searchParams);
    } catch (error) {
      this.#options.log.error("a page could not be made", { path: url.pathname, reason: sentenceOf(error) });
      return said(500, "The page could not be made.");
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function taken(address: string, { name, port }: Host): Exit {
  return new Exit(
    EXIT.unavailable,
    "port_taken",
    `Another program listens on port ${port} of ${address}.`,
    `Is an agent running already? lsof -i :${port} names it. Else give ${name} another port: in the manifest.`,
  );
}

function said(status: number, message: string): Page {
  return { status, type: "application/json", body: JSON.stringify({ error: { message } }) };
}

/** Compared in a time that does not hang on what is right of it. */
function isToken(header: string | undefined, token: string | null): boolean {
  const given = /^Bearer\s+(\S+)$/i.exec(header ?? "")?.[1];
  return given !== undefined && token !== null && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function isLocalName(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? "");
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
}
