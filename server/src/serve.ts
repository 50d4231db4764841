import type { AddressInfo } from "node:net";
import { BadInput, StoreError } from "@alai/core";
import type { FastifyInstance } from "fastify";
import { createApp } from "./app.ts";
import { createGate, createSecurity } from "./auth/index.ts";
import { registerDump } from "./http/dump.ts";
import {
  createLogs,
  fastifyLogging,
  gracefulShutdown,
  InFlight,
  LOG_LEVELS,
  type LogLevel,
  type Logs,
  logRequests,
  Metrics,
  observeRequests,
  Readiness,
  readLogLevel,
  registerHealth,
  registerMetrics,
  requestIdOf,
  startTelemetry,
} from "./ops/index.ts";
import { type OpenStore, openStore, type StoreChoice } from "./store.ts";
import { createFeed, registerStreams } from "./streams/index.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly store: StoreChoice;
  /** Settings of sign-in, tracing and limits; see docs/server.md. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly logLevel: string;
}

/** A server that answers. */
export interface RunningServer {
  readonly url: string;
  /** What it serves, without any password. */
  readonly store: string;
  /** Who is let in, in words. */
  readonly access: string;
  /** Ends it: what runs is finished first. A second call cuts at once. */
  stop(): Promise<void>;
  /** Settles when it has ended. */
  readonly stopped: Promise<void>;
}

/** Opens the store, listens, and serves until it is stopped. Throws BadInput or StoreError when it cannot. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const logs = createLogs({ version: options.version, level: logLevel(options.logLevel) });
  const store = await openStore(options.store);
  try {
    return await run(options, logs, store);
  } catch (error) {
    await store.security.close();
    await store.ledger.close();
    throw error;
  }
}

async function run(options: ServeOptions, logs: Logs, store: OpenStore): Promise<RunningServer> {
  const { env, host, version } = options;
  const { ledger } = store;
  const { logger } = logs;
  const security = await createSecurity({ env, host, store: store.security, warn: warnTo(logger) });
  const readiness = new Readiness({ ledger, migrated: store.migrated });
  const feed = createFeed(ledger, {});
  const metrics = new Metrics({ feed, gauges: store.gauges });
  const telemetry = await startTelemetry(env, version);
  const inFlight = new InFlight();
  const app = await createApp({
    ledger,
    feed,
    gate: createGate(security),
    version,
    stopping: readiness.stopping,
    logging: fastifyLogging(logs),
    requestId: requestIdOf,
    trustProxy: env.ALAI_TRUST_PROXY,
    watch(watched) {
      const spans = telemetry ? [telemetry.observer] : [];
      observeRequests(watched, [inFlight.observer, logRequests(logs), metrics.requests, ...spans]);
    },
    extend(extended) {
      registerHealth(extended, readiness);
      registerMetrics(extended, metrics);
      registerStreams(extended, { feed, observer: metrics.streams });
      registerDump(extended, ledger);
    },
  });
  const url = await listen(app, options);
  const shutdown = gracefulShutdown({
    app,
    feed,
    ledger,
    readiness,
    inFlight,
    logger,
    after: [() => security.close(), () => store.security.close(), () => telemetry?.close(), () => logs.flush()],
  });
  const stopped = Promise.withResolvers<void>();
  logger.info({ url, store: store.name, access: security.authenticator.description }, "listening");
  logs.flush();
  let stopping = false;
  return {
    url,
    store: store.name,
    access: security.authenticator.description,
    stopped: stopped.promise,
    async stop() {
      if (stopping) shutdown.cut();
      stopping = true;
      await shutdown.begin("stop");
      stopped.resolve();
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: ServeOptions): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw cannotListen(error as NodeJS.ErrnoException, host, port);
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const why: Readonly<Record<string, readonly [string, string]>> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is taken.`,
      "Stop what listens there, or type --port N; --port 0 takes a free one.",
    ],
    EACCES: [`Port ${port} of ${host} needs more rights.`, "Type --port N with a number above 1023."],
    EADDRNOTAVAIL: [
      `${host} is no address of this machine.`,
      "Type --host 127.0.0.1, or --host 0.0.0.0 for every address.",
    ],
    ENOTFOUND: [`${host} is no address.`, "Type --host 127.0.0.1, or --host 0.0.0.0 for every address."],
  };
  const known = why[error.code ?? ""];
  return known ? new StoreError("unavailable", known[0], known[1], error) : error;
}

function logLevel(word: string): LogLevel {
  const level = readLogLevel(word);
  if (level) return level;
  throw new BadInput(`${word} is not a log level.`, `Type one of ${LOG_LEVELS.join(", ")}.`);
}

function warnTo(logger: Logs["logger"]) {
  return (message: string, error?: unknown) => logger.warn({ err: error }, message);
}
