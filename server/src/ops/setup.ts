import type { FastifyInstance, FastifyServerOptions } from "fastify";
import type { DestinationStream } from "pino";
import type { Feed, StreamObserver } from "../streams/index.ts";
import { Readiness, type ReadinessOptions, registerHealth } from "./health.ts";
import { InFlight } from "./in-flight.ts";
import { createLogs, type LogLevel, type Logs } from "./logger.ts";
import { type GaugeSource, Metrics, registerMetrics } from "./metrics.ts";
import { observeRequests } from "./observe.ts";
import { fastifyLogging, logRequests } from "./request-log.ts";
import { gracefulShutdown, type Shutdown, type ShutdownParts } from "./shutdown.ts";
import { startTelemetry } from "./telemetry.ts";

export interface ObserveOptions extends ReadinessOptions {
  readonly feed: Feed;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logLevel?: LogLevel | undefined;
  /** Where log lines go: a file descriptor, or something that takes lines. Default: standard output. */
  readonly to?: number | DestinationStream | undefined;
  readonly gauges?: readonly GaugeSource[] | undefined;
}

/** Everything by which a server is watched and stopped. */
export interface Observation {
  readonly logs: Logs;
  readonly readiness: Readiness;
  /** For `registerStreams`. */
  readonly streams: StreamObserver;
  /** For the app's own options. */
  readonly logging: Pick<FastifyServerOptions, "loggerInstance" | "logController" | "childLoggerFactory">;
  /** Call before anything that may answer is registered. */
  watch(app: FastifyInstance): void;
  /** `/healthz`, `/readyz`, `/metrics`. */
  routes(app: FastifyInstance): void;
  shutdown(parts: Pick<ShutdownParts, "app" | "ledger" | "after" | "limitMs" | "retryMs">): Shutdown;
}

/** Sets up logs, metrics, readiness, and spans where the environment asks for them. */
export async function observe(options: ObserveOptions): Promise<Observation> {
  const { feed, version, env, logLevel, to, gauges } = options;
  const logs = createLogs({ version, level: logLevel, to });
  const readiness = new Readiness(options);
  const metrics = new Metrics({ feed, gauges });
  const inFlight = new InFlight();
  const telemetry = await startTelemetry(env, version);
  return {
    logs,
    readiness,
    streams: metrics.streams,
    logging: fastifyLogging(logs),
    watch: (app) =>
      observeRequests(app, [
        inFlight.observer,
        metrics.requests,
        ...(telemetry ? [telemetry.observer] : []),
        logRequests(logs),
      ]),
    routes(app) {
      registerHealth(app, readiness);
      registerMetrics(app, metrics);
    },
    shutdown: ({ after = [], ...parts }) =>
      gracefulShutdown({
        ...parts,
        feed,
        readiness,
        inFlight,
        logger: logs.logger,
        after: [...after, () => telemetry?.close(), () => logs.flush()],
      }),
  };
}
