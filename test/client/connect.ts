import type { Exchange } from "../../src/kit/http/exchange.ts";
import { overFetch } from "../../src/kit/http/over-fetch.ts";
import { overNode } from "../../src/kit/http/over-node.ts";
import { Http, type HttpOptions } from "../../src/kit/http.ts";
import { Api, type ApiOptions } from "../../src/mc/http/api.ts";
import { HttpLedger } from "../../src/mc/http/ledger.ts";

/** Both ways bytes go out: every test of the client runs over both, whatever runtime the tests run on. */
export const WAYS: readonly { readonly way: string; readonly make: () => Exchange }[] = [
  { way: "node:http", make: () => overNode({}) },
  { way: "fetch", make: () => overFetch() },
];

export type ConnectOptions = Partial<HttpOptions> & Partial<ApiOptions> & { readonly make?: () => Exchange };

/** The client as a command gets it, without a command. */
export function connect(url: string, options: ConnectOptions = {}): HttpLedger {
  return new HttpLedger(connectApi(url, options));
}

export function connectApi(url: string, options: ConnectOptions = {}): Api {
  const timeout = options.timeout ?? 10_000;
  const exchange = options.exchange ?? (options.make ?? overNode.bind(null, {}))();
  const http = new Http({ env: {}, refused: timeout, ...options, timeout, exchange });
  return new Api(http, {
    url,
    source: "ALAI_MC_URL",
    headers: {},
    tokens: { get: async () => null, renewed: async () => null },
    unnamed: null,
    ...options,
    timeout,
  });
}
