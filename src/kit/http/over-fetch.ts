import { isLoopback } from "../loopback.ts";
import type { Exchange } from "./exchange.ts";

/** Over the runtime's own `fetch`, which keeps connections and reads HTTPS_PROXY and NO_PROXY itself (bun). @param direct past every proxy. */
export function overFetch(direct = false): Exchange {
  return {
    async send({ method, url, headers, body }, signal) {
      const options = { method, headers, signal, redirect: "manual", body: body ?? null } as RequestInit;
      // bun's own option: without it a proxy for http would see what is meant for this machine only.
      const answer = await fetch(url, direct || isLoopback(url) ? { ...options, ...{ proxy: false } } : options);
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: answer.body ?? nothing() };
    },
    close() {},
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
