import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** The place on this machine that the browser comes back to (RFC 8252, section 7.3). */
export interface Callback {
  readonly redirectUri: string;
  /** The address that the browser came with, once, and only with the right state. */
  readonly came: Promise<URL>;
  close(): void;
}

export interface CallbackOptions {
  readonly host: "localhost" | "127.0.0.1";
  /** Tried in turn; empty: any free one. */
  readonly ports: readonly number[];
  readonly path: string;
}

/** Listens on 127.0.0.1, and on ::1 where there is one. Throws Exit 69 when every port of the list is taken. */
export async function openCallback(options: CallbackOptions): Promise<Callback & { expect(state: string): void }> {
  const visits = new Visits(options);
  const servers = await listenOnOne(visits, options.ports);
  const { port } = servers[0].address() as AddressInfo;
  visits.port = port;
  return {
    redirectUri: `http://${options.host}:${port}${options.path}`,
    came: visits.came,
    expect: (state) => {
      visits.state = state;
    },
    close() {
      for (const server of servers) shut(server);
    },
  };
}

type Servers = readonly [Server, ...Server[]];

/** How often another free port is looked for, when the one found is taken on ::1. */
const TRIES = 5;

async function listenOnOne(visits: Visits, ports: readonly number[]): Promise<Servers> {
  for (const port of ports.length > 0 ? ports : Array<number>(TRIES).fill(0)) {
    const servers = await listenOnBoth(visits, port);
    if (servers) return servers;
  }
  throw portsBusy(ports);
}

/**
 * `localhost` may be either address. A machine without IPv6 has only the one; but where somebody else listens on the other, the
 * browser would hand them the code. @returns null when the port is taken.
 */
async function listenOnBoth(visits: Visits, port: number): Promise<Servers | null> {
  const four = await listenOn(visits, "127.0.0.1", port);
  if (typeof four === "string") return null;
  const six = await listenOn(visits, "::1", (four.address() as AddressInfo).port);
  if (typeof six !== "string") return [four, six];
  if (six !== "EADDRINUSE") return [four];
  shut(four);
  return null;
}

/** @returns the error's code when that cannot be. */
function listenOn(visits: Visits, host: string, port: number): Promise<Server | string> {
  const server = createServer((request, response) => visits.answer(request, response));
  return new Promise((resolve) => {
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    server.listen({ host, port, ipv6Only: true }, () => resolve(server));
  });
}

function shut(server: Server): void {
  server.close();
  server.closeAllConnections();
}

function portsBusy(ports: readonly number[]): Exit {
  const [first, ...more] = ports;
  const which = more.length > 0 ? `All ports that the issuer knows are taken: ${ports.join(", ")}.` : null;
  return new Exit(
    EXIT.unavailable,
    "ports_busy",
    which ?? (first === undefined ? "No port of this machine is free." : `Port ${first} is taken.`),
    "End what uses them, or type alai login --flow=paste.",
  );
}

class Visits {
  port = 0;
  state = "";
  readonly came: Promise<URL>;
  readonly #options: CallbackOptions;
  readonly #arrived = Promise.withResolvers<URL>();
  #done = false;

  constructor(options: CallbackOptions) {
    this.#options = options;
    this.came = this.#arrived.promise;
    this.came.catch(() => {});
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const base = `http://${this.#options.host}:${this.port}`;
    const path = request.url ?? "/";
    const url = new URL(URL.canParse(path, base) ? path : "/", base);
    const refusal = this.#refusal(request, url);
    if (refusal) {
      say(response, ...refusal);
      return;
    }
    this.#done = true;
    const failed = url.searchParams.has("error");
    say(
      response,
      failed ? 400 : 200,
      failed ? "The sign-in was refused. The terminal says more." : "You are signed in. Go back to the terminal.",
    );
    this.#arrived.resolve(url);
  }

  /** What is not the answer that is waited for, in the order in which it may be told. */
  #refusal({ headers, method }: IncomingMessage, url: URL): [status: number, sentence: string] | null {
    // A page of somebody's that resolves its own name to this machine.
    if (!this.#isOurs(headers.host)) return [403, "This is not your page."];
    if (url.pathname !== this.#options.path) return [404, "There is nothing here."];
    if (method !== "GET") return [405, "Only GET."];
    if (this.#done) return [410, "This sign-in is over. You can close this page."];
    // Before any page says that it went well: a link that somebody else made must not end this sign-in.
    if (this.state !== "" && url.searchParams.get("state") === this.state) return null;
    return [400, "This is not the sign-in that alai waits for. Go back to the page that alai opened."];
  }

  #isOurs(host: string | undefined): boolean {
    return ["localhost", "127.0.0.1", "[::1]"].some((name) => host === `${name}:${this.port}`);
  }
}

function say(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...(status === 405 && { allow: "GET" }),
  });
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>alai</title><body style="font:16px system-ui;margin:20vh auto;max-width:30em"><p>${sentence}</p></body></html>\n`,
  );
}
