import type { IncomingHttpHeaders } from "node:http";
import type { Account, Accounts } from "./accounts.ts";

/** How the server behaves: fixed when it starts. */
export interface Behaviour {
  readonly url: string;
  readonly vaultwarden: boolean;
  /** Where clients are told to send files: to the API itself, as self-hosted servers do, or to a store of blobs. */
  readonly attachments: "direct" | "azure";
  readonly premium: boolean;
  /** Items one import may have: 7,000 in the cloud. */
  readonly importLimit: number;
}

/** A request, read. */
export interface Call {
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly accounts: Accounts;
  readonly behaviour: Behaviour;
}

/** A request of somebody who is signed in. */
export interface SignedCall extends Call {
  readonly account: Account;
}

/** An answer that is not plain 200 with JSON. */
export class Answer {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body?: unknown) {
    this.status = status;
    this.body = body;
  }
}

/** A route: its method, its path, and what answers; `:x` in the path stands for one part. */
export interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (call: Call) => unknown;
}

/** A route for anyone. */
export const open = (method: string, path: string, answer: (call: Call) => unknown): Route => ({
  method,
  path: new RegExp(`^${path.replace(/:\w+/g, "([^/]+)")}$`),
  answer,
});

/** A route for who is signed in; anyone else gets 401. */
export const signed = (method: string, path: string, answer: (call: SignedCall) => unknown): Route =>
  open(method, path, (call) => answer({ ...call, account: call.accounts.byBearer(call.headers.authorization) }));

/** The route of a request, and the parts of its path. */
export function findRoute(routes: readonly Route[], method: string, path: string) {
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(path) : null;
    if (match) return { route, params: match.slice(1).map(decodeURIComponent) };
  }
  return null;
}

/** The nth part of a path. */
export const part = (call: Call, index: number): string => call.params[index] ?? "";
