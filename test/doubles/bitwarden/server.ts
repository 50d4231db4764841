import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type Account, Accounts, type NewUser, type User } from "./accounts.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { type Failure, Faults } from "./faults.ts";
import { answer, notFound, Refusal, readBody, refuse } from "./http.ts";
import { addOrganization, addSend, type SharedItem } from "./organizations.ts";
import { type PlainItem, type PlainVault, plain, seed } from "./plain.ts";
import { Answer, type Behaviour, findRoute, type Route } from "./router.ts";
import { accountRoutes } from "./routes/account.ts";
import { attachmentRoutes } from "./routes/attachments.ts";
import { cipherRoutes } from "./routes/ciphers.ts";
import { folderRoutes } from "./routes/folders.ts";
import { identityRoutes } from "./routes/identity.ts";

const ROUTES: readonly Route[] = [identityRoutes, accountRoutes, folderRoutes, attachmentRoutes, cipherRoutes].flat();
const CLIENT = ["device-type", "bitwarden-client-name", "bitwarden-client-version", "user-agent", "device-identifier"];

/** How a double behaves; Bitwarden's own cloud unless said otherwise. */
export interface Options extends Partial<Omit<Behaviour, "url">> {
  /** Of accounts that do not say: the least that bw takes, so that tests are quick. */
  readonly kdfIterations?: number;
  /** Seconds an access token lives. */
  readonly tokenLife?: number;
}

/** One request that came in. */
export interface Seen {
  readonly method: string;
  /** With the query; never with a body. */
  readonly path: string;
  readonly client: Readonly<Record<string, string>>;
  status: number;
}

/** A Bitwarden server on loopback, over TLS. See README.md for what it follows. */
export class BitwardenDouble {
  readonly url: string;
  /** Path of the certificate: NODE_EXTRA_CA_CERTS of the client. */
  readonly caFile: string;
  readonly requests: Seen[] = [];
  /** Requests for which there is no route: a test that ends with any has found a hole in the double, or in the client. */
  readonly unknown: string[] = [];
  readonly faults = new Faults();
  readonly accounts = new Accounts();
  readonly #behaviour: Behaviour;
  readonly #server: Server;
  readonly #certificate: Certificate;
  readonly #iterations: number | undefined;
  /** Who waits for an answer; each says whether this was it. */
  readonly #waiting: ((seen: Seen) => boolean)[] = [];

  private constructor(server: Server, certificate: Certificate, options: Options) {
    this.#server = server;
    this.#certificate = certificate;
    this.caFile = certificate.caFile;
    this.url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const { kdfIterations, tokenLife = 3600, vaultwarden = false, premium = true, importLimit = 7000 } = options;
    const attachments = options.attachments ?? (vaultwarden ? "direct" : "azure");
    this.#behaviour = { url: this.url, vaultwarden, attachments, premium, importLimit };
    this.#iterations = kdfIterations;
    this.accounts.tokenLife = tokenLife;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(options: Options = {}): Promise<BitwardenDouble> {
    const certificate = await makeCertificate();
    const server = createServer({ key: certificate.key, cert: certificate.cert }).listen(0, "localhost");
    await once(server, "listening");
    return new BitwardenDouble(server, certificate, options);
  }

  /** Who is signed up. */
  get users(): readonly User[] {
    return this.accounts.all;
  }

  /** Signs somebody up. */
  addUser(user: NewUser): Promise<User> {
    return this.accounts.add({ ...(this.#iterations ? { kdfIterations: this.#iterations } : {}), ...user });
  }

  /** Fills a vault, encrypting as the person's client would; gives the ids of the items. */
  seed(user: User, items: readonly PlainItem[], folders: readonly string[] = []): string[] {
    return seed(this.#account(user), items, folders, !this.#behaviour.vaultwarden);
  }

  /** An organization with these items, which these users may read. @param collections more of them, with nothing in them. */
  share(users: readonly User[], name: string, items: readonly SharedItem[], collections: readonly string[] = []): void {
    const members = users.map((user) => this.#account(user));
    addOrganization(members, name, items, collections);
  }

  /** A Send of somebody's, of a text. */
  send(user: User, name: string, text: string): void {
    addSend(this.#account(user), name, text);
  }

  /** The vault of somebody, in clear. */
  plain(user: User): PlainVault {
    return plain(this.#account(user));
  }

  /** Requests of these kinds go wrong from now on. */
  fail(failure: Failure): void {
    this.faults.fail(failure);
  }

  /** From now on nothing is answered. */
  freeze(): void {
    this.faults.freeze();
  }

  thaw(): void {
    this.faults.thaw();
  }

  /** An item is gone, and no date says so: a client finds it missing only by fetching all. */
  dropItem(id: string): void {
    if (!this.accounts.all.some(({ vault }) => vault.ciphers.delete(id))) throw new Error(`no item ${id}`);
  }

  /** Of the next items somebody creates or imports, so many are acknowledged and lost. */
  loseNext(user: User, count: number): void {
    this.#account(user).vault.lose = count;
  }

  /** As after a change of the password elsewhere. */
  signOutEverywhere(user: User): void {
    this.accounts.signOutEverywhere(this.#account(user));
  }

  /** Does something the moment a request of this path is answered with 200, before the client has the answer. */
  whenAnswered(path: string | RegExp, act: () => void): void {
    this.#waiting.push((seen) => {
      const is = seen.status === 200 && (typeof path === "string" ? seen.path === path : path.test(seen.path));
      if (is) act();
      return is;
    });
  }

  async stop(): Promise<void> {
    this.faults.clear();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    await this.#certificate.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #account({ userId }: User): Account {
    const account = this.accounts.all.find((candidate) => candidate.userId === userId);
    if (!account) throw new Error(`no account ${userId}`);
    return account;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/" } = request;
    const seen: Seen = { method, path, client: clientOf(request), status: 0 };
    this.requests.push(seen);
    const { status, body, headers } = await this.#answer(method, path, request);
    seen.status = status;
    for (const waiting of this.#waiting.splice(0)) if (!waiting(seen)) this.#waiting.push(waiting);
    answer(response, status, body, headers);
  }

  async #answer(method: string, path: string, request: IncomingMessage) {
    try {
      const body = await readBody(request);
      const url = new URL(path, this.url);
      await this.faults.meet(method, url.pathname);
      const result = await this.#route(method, url, request, body);
      return result instanceof Answer ? { ...result, headers: {} } : { status: 200, body: result, headers: {} };
    } catch (error) {
      if (error instanceof Refusal) return error;
      // A mistake of the double itself: it must be seen, not be taken for an answer.
      this.unknown.push(`${method} ${path}: ${error}`);
      return refuse(500, `${error}`);
    }
  }

  #route(method: string, url: URL, request: IncomingMessage, body: Buffer): unknown {
    const found = findRoute(ROUTES, method, url.pathname);
    if (!found) {
      this.unknown.push(`${method} ${url.pathname}`);
      throw notFound();
    }
    const { accounts } = this;
    const { params, route } = found;
    const { headers } = request;
    return route.answer({ params, query: url.searchParams, headers, body, accounts, behaviour: this.#behaviour });
  }
}

function clientOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(CLIENT.flatMap((name) => (headers[name] ? [[name, `${headers[name]}`]] : [])));
}
