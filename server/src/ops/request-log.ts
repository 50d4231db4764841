import type { FastifyServerOptions } from "fastify";
import { LogController } from "fastify";
import { networkOf } from "../audit/address.ts";
import { LazyLog } from "./lazy-log.ts";
import type { Logs } from "./logger.ts";
import type { Finished, RequestObserver } from "./observe.ts";
import { traceOf } from "./trace.ts";

/** Operations that are asked every few seconds by machines, and tell nothing. */
const QUIET = new Set(["healthz", "readyz", "metrics"]);

/** One line for each request that is over. */
export function logRequests(logs: Logs): RequestObserver {
  return {
    finished(done) {
      const level = levelOf(done);
      if (!logs.plain.isLevelEnabled(level)) return;
      const { request, operation, method, route, status, durationMs, trace, address } = done;
      logs.request(level, {
        trace_id: trace.traceId,
        request_id: request.id,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        method,
        route,
        operation,
        status,
        subject: request.subject?.id ?? null,
        address: coarse(address),
      });
    },
  };
}

function levelOf({ status, operation }: Finished): "error" | "warn" | "info" | "debug" {
  if (status >= 500) return status === 503 ? "warn" : "error";
  return QUIET.has(operation) ? "debug" : "info";
}

/** The last address and its network: most requests on a connection, and most behind a proxy, have the same. */
let last = { address: "", network: "" };

function coarse(address: string): string {
  if (last.address !== address) last = { address, network: networkOf(address) };
  return last.network;
}

/** What Fastify needs so that `request.log` writes into `logs`: spread it into the app's options. */
export function fastifyLogging(
  logs: Logs,
): Pick<FastifyServerOptions, "loggerInstance" | "logController" | "childLoggerFactory"> {
  return {
    loggerInstance: logs.logger,
    // Its own two lines a request are ours in one.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (_logger, bindings, options, raw) =>
      new LazyLog(() =>
        logs.forRequest({ trace_id: traceOf(raw).traceId, request_id: String(bindings.reqId ?? "") }, options),
      ),
  };
}
