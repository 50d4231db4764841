import type { Env } from "../env.ts";
import { overFetch } from "./over-fetch.ts";
import { overNode } from "./over-node.ts";

/** One request, once: no retry, no deadline of its own. */
export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** An answer whose headers are here; its body may still be on the way. */
export interface Arriving {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Throws when the connection breaks before the end. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** How bytes go out and come in. Redirects are never followed. Rejects with the runtime's own error. */
export interface Exchange {
  send(request: Sent, signal: AbortSignal): Promise<Arriving>;
  /** Lets go of idle connections. */
  close(): void;
}

/**
 * The runtime's cheapest way: `node:http` costs the binary 12 ms where its own fetch costs 1, and Node's fetch costs 70 ms
 * where its `node:http` costs 18 (docs/decisions/2026-11-21-http-client.md).
 * @param direct past every proxy: for machines of a private network.
 */
export function runtimeExchange(env: Env, direct = false): Exchange {
  if (process.versions.bun) return overFetch(direct);
  return overNode(direct ? { SSL_CERT_FILE: env.SSL_CERT_FILE } : env);
}
