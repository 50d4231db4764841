import type { Context } from "../kit/context.ts";
import { Http, NoAnswer } from "../kit/http.ts";
import { requireCheckedTls } from "./checked-tls.ts";

/** What openid-client asks of a fetch. */
interface FetchOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}
export type IssuerFetch = (url: string, options: FetchOptions) => Promise<Response>;

const PATIENCE = { timeout: 15_000, refused: 2000 } as const;
/** Metadata, keys and tokens are kilobytes. */
const LONGEST = 2 ** 20;

/**
 * The way to an issuer: the same client as everywhere, so that proxies and authorities are those of every other call. What
 * changes something at the issuer is sent once: a code or a refresh token is good for one request.
 */
export function issuerFetch(context: Context): IssuerFetch {
  const { env } = context;
  requireCheckedTls(env);
  const http = new Http({ ...PATIENCE, env, longest: LONGEST });
  // Whoever is given up, by Ctrl-C for example, must not keep the program here.
  context.onExit(() => http.close());
  return async (url, { method = "GET", headers = {}, body }) => {
    const answer = await http.ask({
      method,
      url: new URL(url),
      headers: { ...headers, "accept-encoding": "identity" },
      body: body === undefined || body === null ? undefined : String(body),
      repeatable: method === "GET",
    });
    const known = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    const empty = answer.status === 204 || answer.status === 304;
    return new Response(empty ? null : (answer.body as Uint8Array<ArrayBuffer>), {
      status: answer.status,
      headers: known as [string, string][],
    });
  };
}

export { NoAnswer };
