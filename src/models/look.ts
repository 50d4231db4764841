import type * as Net from "node:net";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Env } from "../kit/env.ts";
import { runtimeExchange } from "../kit/http/exchange.ts";
import { type Answer, Http, NoAnswer } from "../kit/http.ts";
import type { EndpointKind } from "./document.ts";
import type { Trouble } from "./health.ts";
import { LISTING, namesIn } from "./listing.ts";

/** What one look at one endpoint found. */
export type Look =
  | { readonly trouble: Trouble }
  | {
      readonly trouble: null;
      readonly latency: Millis;
      /** Null: it wants a key before it says. */
      readonly names: readonly string[] | null;
    };

interface Asked {
  readonly kind: EndpointKind;
  readonly url: string;
  /** Its key; null: none is known. */
  readonly key: string | null;
}

/** A listing of a thousand models has some hundred kilobytes. */
const LONGEST = 16 * 2 ** 20;
const KNOCK: Millis = 1000;

/** Asks an endpoint for its models. Never throws for what it does or does not answer. @param limit for the whole answer. */
export async function look(env: Env, asked: Asked, limit: Millis): Promise<Look> {
  const url = new URL(asked.url + LISTING[asked.kind]);
  // What has no TLS is on this machine or on a private network, and no proxy leads there.
  const direct = url.protocol === "http:";
  const exchange = runtimeExchange(env, direct);
  const http = new Http({ timeout: limit, refused: 0, longest: LONGEST, env, exchange });
  const start = monotonic();
  try {
    const answer = await http.ask({ method: "GET", url, headers: headers(asked), repeatable: false });
    return found(asked, answer, monotonic() - start);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { trouble: await troubleOf(error, url, direct, limit) };
  } finally {
    http.close();
  }
}

function headers({ kind, key }: Asked): Record<string, string> {
  const least = { accept: "application/json", "accept-encoding": "identity" };
  if (kind === "anthropic") return { ...least, "anthropic-version": "2023-06-01", ...(key && { "x-api-key": key }) };
  return key ? { ...least, authorization: `Bearer ${key}` } : least;
}

function found({ kind, key }: Asked, { status, body }: Answer, latency: Millis): Look {
  if (status === 401 || status === 403) {
    // Nobody gave a key: those who ask in earnest have their own.
    if (key === null) return { trouble: null, latency, names: null };
    return { trouble: { kind: "http", message: `it refuses the key (${status})` } };
  }
  if (status !== 200) return { trouble: { kind: "http", message: `it answers ${status}` } };
  const names = namesIn(kind, Buffer.from(body).toString("utf8"));
  if (names) return { trouble: null, latency, names };
  return { trouble: { kind: "http", message: "it answers, but with no list of models" } };
}

/** A host without power and a program that hangs are both silent; only the first cannot be connected to. */
async function troubleOf(error: NoAnswer, url: URL, direct: boolean, limit: Millis): Promise<Trouble> {
  const { kind, message } = error;
  if (kind === "timeout") {
    const silent = `no answer within ${limit / 1000} s`;
    if (!direct || (await connects(url, Math.min(KNOCK, limit)))) return { kind: "timeout", message: silent };
    return { kind: "connection", message: "it cannot be connected to" };
  }
  if (kind === "name") return { kind: "connection", message: `no host is called ${url.hostname}` };
  if (kind === "refused" && /REFUSED/.test(message)) return { kind: "connection", message: "nothing listens there" };
  if (kind === "refused" || kind === "broken") return { kind: "connection", message };
  return { kind: "http", message };
}

function connects(url: URL, limit: Millis): Promise<boolean> {
  const net: typeof Net = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const socket = net.connect({ host, port: Number(url.port || 80), timeout: limit });
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", () => end(true));
    // Where this process itself was held up, the connection may be made and not yet be said.
    socket.once("timeout", () => setImmediate(() => end(!socket.connecting)));
    socket.once("error", () => end(false));
  });
}
