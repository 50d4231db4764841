import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Feed } from "../streams/index.ts";
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
/** For the last bytes of streams and of connections that say goodbye. */
const GRACE = 500;

/**
 * Stops a server without losing an answer: not ready → no new connections → what runs finishes (10 s at most, then it is cut) →
 * streams end with a hint when to come back → the store closes.
 */
export function gracefulShutdown(parts: ShutdownParts): Shutdown {
  const { app, readiness, logger, limitMs = LIMIT } = parts;
  const patience = new AbortController();
  let running: Promise<void> | undefined;
  const stop = async (why: string) => {
    const began = Date.now();
    logger.info({ reason: why, in_flight: parts.inFlight.size }, "stopping");
    readiness.drain();
    const closed = stopAccepting(app);
    await within(limitMs, parts.inFlight.none(), patience.signal);
    await endAll(parts, closed, patience.signal);
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

/** No new connections, and idle ones end; what runs goes on. By the server itself: Fastify's close would answer 503 to those. */
async function stopAccepting({ server }: FastifyInstance): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  await closed;
}

async function endAll(
  { app, feed, inFlight, logger, retryMs = RETRY }: ShutdownParts,
  closed: Promise<void>,
  cut: AbortSignal,
) {
  if (inFlight.size > 0) {
    logger.warn({ in_flight: inFlight.size }, "cutting what did not finish");
    inFlight.refuseUnfinished();
  }
  feed.close(retryMs);
  app.server.closeIdleConnections();
  await within(GRACE, closed, cut);
  app.server.closeAllConnections();
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
