import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { cutUpgraded, type Feed } from "../streams/index.ts";
import type { Readiness } from "./health.ts";
import type { InFlight } from "./in-flight.ts";

export interface ShutdownParts {
  readonly app: FastifyInstance;
  readonly feed: Feed;
  readonly ledger: { close(): void | Promise<void> };
  readonly readiness: Readiness;
  readonly inFlight: InFlight;
  readonly logger: Logger;
  /** What else is closed, after the store: the audit's file, spans, buffered log lines. */
  readonly after?: readonly (() => unknown)[];
  /** How long requests may take to finish. */
  readonly limitMs?: Millis;
  /** What streams are told to wait before they come back. */
  readonly retryMs?: Millis;
}

export interface Shutdown {
  /** Begins, once; resolves when everything is closed. Never rejects. */
  begin(why: string): Promise<void>;
  /** No more patience: what still runs is cut now. */
  cut(): void;
}

const LIMIT = 10_000;
const RETRY = 2000;
/** For the last bytes of streams, and for connections that are used again before they are told to close. */
const GRACE = 500;
/** For the answer to those that are cut, and for the last lines of the log. */
const PARTING = 250;

/**
 * Stops a server without losing an answer: not ready → no new connections → what runs finishes (10 s at most, then it is cut) →
 * streams end with a hint when to come back → the store closes.
 */
export function gracefulShutdown(parts: ShutdownParts): Shutdown {
  const { app, readiness, logger } = parts;
  const patience = new AbortController();
  let running: Promise<void> | undefined;
  const stop = async (why: string) => {
    const began = Date.now();
    logger.info({ reason: why, in_flight: parts.inFlight.size }, "stopping");
    readiness.drain();
    const closed = stopAccepting(app);
    await finish(parts, closed, patience.signal);
    await closeAll(parts);
    logger.info({ duration_ms: Date.now() - began }, "stopped");
    for (const step of parts.after ?? []) await attempt(logger, step);
  };
  return {
    begin(why) {
      running ??= stop(why);
      return running;
    },
    cut: () => patience.abort(),
  };
}

/** SIGTERM and SIGINT begin the stop; a second one cuts it short. @returns takes the listeners off. */
export function stopOnSignals(shutdown: Shutdown, stopped: () => void): () => void {
  let signalled = false;
  const listener = (signal: NodeJS.Signals) => {
    if (signalled) return shutdown.cut();
    signalled = true;
    void shutdown.begin(signal).then(stopped);
  };
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/**
 * No new connections; those there are go on, and end with their next answer. Not by the HTTP server's own close: that cuts idle
 * connections at once, also where the next request is on its way already. Nor by Fastify's: that answers it with 503.
 */
async function stopAccepting({ server }: FastifyInstance): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  // The binary's HTTP server is none of Node's: it has only its own close, and that leaves idle connections alone.
  if (server instanceof Server) Server.prototype.close.call(server);
  else (server as HttpServer).close();
  await closed;
}

/** Waits for the requests, then ends the streams, then cuts what is left. */
async function finish(parts: ShutdownParts, closed: Promise<void>, cut: AbortSignal): Promise<void> {
  const { app, feed, inFlight, logger, limitMs = LIMIT, retryMs = RETRY } = parts;
  await within(limitMs, inFlight.none(), cut);
  feed.close(retryMs);
  // Time for the last bytes, and for clients to use an idle connection once more and be told to close it.
  await within(GRACE, closed, cut);
  if (inFlight.size > 0) await within(GRACE, inFlight.none(), cut);
  if (inFlight.size > 0) {
    logger.warn({ in_flight: inFlight.size }, "cutting what did not finish");
    inFlight.refuseUnfinished();
    await within(PARTING, closed, cut);
  }
  app.server.closeAllConnections();
  cutUpgraded(app.server);
  // Node tells of a closed connection a little after the server: what is logged of it comes before the store closes.
  await within(PARTING, inFlight.nothing(), cut);
}

async function closeAll({ app, ledger, logger }: ShutdownParts): Promise<void> {
  await attempt(logger, () => app.close());
  await attempt(logger, () => ledger.close());
}

/** One part that cannot be closed must not keep the others open. */
async function attempt(logger: Logger, step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (error) {
    logger.error({ err: error }, "could not be closed");
  }
}

/** Waits for `promise`, but no longer than `ms` and not after `cut`. */
async function within(ms: Millis, promise: Promise<unknown>, cut: AbortSignal): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([cut, over.signal]);
  await Promise.race([promise, sleep(ms, undefined, { signal }).catch(() => {})]);
  over.abort();
}
