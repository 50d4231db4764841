import { isIP } from "node:net";
import { BadInput } from "@alai/core";
import { boundYoungGeneration } from "@alai/core/young-generation";
import type { FastifyRequest } from "fastify";
import { createApp } from "./app.ts";
import { AuthError, createGate, createSecurity, type Security } from "./auth/index.ts";
import { registerDump } from "./http/dump.ts";
import { listen } from "./listen.ts";
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
  type Telemetry,
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

/** True unless the token that a stream was opened with is refused now. An issuer that is down ends no stream. */
function stillAllowed({ authenticator }: Security) {
  return async ({ headers, raw }: FastifyRequest): Promise<boolean> => {
    try {
      return (await authenticator.authenticate(headers, raw.rawHeaders)).scopes.size > 0;
    } catch (error) {
      return !(error instanceof AuthError) || error.status === 503;
    }
  };
}

/** Opens the store, listens, and serves until it is stopped. Throws BadInput or StoreError when it cannot. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const logs = createLogs({ version: options.version, level: logLevel(options.logLevel) });
  const store = await openStore(options.store, options.env);
  try {
    return await run(options, logs, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function run(options: ServeOptions, logs: Logs, store: OpenStore): Promise<RunningServer> {
  const { env, host, version } = options;
  const security = await createSecurity({ env, host, store: store.security, warn: warnTo(logs.logger) });
  try {
    return await listening(options, logs, store, security, await startTelemetry(env, version));
  } catch (error) {
    await security.close();
    throw error;
  }
}

async function listening(
  options: ServeOptions,
  logs: Logs,
  store: OpenStore,
  security: Security,
  telemetry: Telemetry | null,
): Promise<RunningServer> {
  const { ledger } = store;
  const { logger } = logs;
  const readiness = new Readiness({ ledger, migrated: store.migrated });
  const feed = createFeed(ledger, {});
  const metrics = new Metrics({ feed, gauges: store.gauges });
  const inFlight = new InFlight();
  const app = await createApp({
    ledger,
    feed,
    gate: createGate(security),
    version: options.version,
    stopping: readiness.stopping,
    logging: { ...fastifyLogging(logs), loggerInstance: withoutNews(logger) },
    requestId: requestIdOf,
    trustProxy: proxies(options.env.ALAI_TRUST_PROXY),
    watch(watched) {
      const spans = telemetry ? [telemetry.observer] : [];
      observeRequests(watched, [inFlight.observer, logRequests(logs), metrics.requests, ...spans]);
    },
    extend(extended) {
      registerHealth(extended, readiness);
      registerMetrics(extended, metrics);
      registerStreams(extended, { feed, observer: metrics.streams, allowed: stillAllowed(security) });
      registerDump(extended, ledger);
    },
  });
  const url = await listen(app, options);
  const shutdown = gracefulShutdown({
    app,
    feed,
    // What the audit still has is kept before its store goes.
    ledger: { close: () => security.close().finally(() => store.close()) },
    readiness,
    inFlight,
    logger,
    after: [() => telemetry?.close(), boundYoungGeneration(), () => logs.flush()],
  });
  const stopped = Promise.withResolvers<void>();
  security.started();
  // The port by itself: an address in a line is cut to its network.
  logger.info(
    { port: Number(new URL(url).port), store: store.name, access: security.authenticator.description },
    "listening",
  );
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

/** Addresses and networks whose X-Forwarded-For is believed. Throws BadInput. */
function proxies(said: string | undefined): string | undefined {
  if (!said) return undefined;
  const isNetwork = (text: string) => {
    const [address = "", bits] = text.trim().split("/");
    return isIP(address) > 0 && (bits === undefined || /^\d{1,3}$/.test(bits));
  };
  if (said.split(",").every(isNetwork)) return said;
  throw new BadInput(
    `ALAI_TRUST_PROXY is ${said}, which names no addresses.`,
    "Set it to the proxies' addresses or networks, between commas: 10.0.0.0/8,127.0.0.1.",
  );
}

function logLevel(word: string): LogLevel {
  const level = readLogLevel(word);
  if (level) return level;
  throw new BadInput(`${word} is not a log level.`, `Type one of ${LOG_LEVELS.join(", ")}.`);
}

/** Fastify's own voice: it says for each address that it listens there, where one line of ours says all. */
function withoutNews(logger: Logs["logger"]): Logs["logger"] {
  return logger.isLevelEnabled("info") ? logger.child({}, { level: "warn" }) : logger;
}

function warnTo(logger: Logs["logger"]) {
  return (message: string, error?: unknown) => logger.warn({ err: error }, message);
}
