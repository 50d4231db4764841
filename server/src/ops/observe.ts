import { monotonic } from "@alai/core/monotonic";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { handshakeStatus } from "../streams/index.ts";
import { formatTraceparent, type Trace, traceOf } from "./trace.ts";

/** A request that is over, as logs, metrics and spans tell of it. */
export interface Finished {
  readonly request: FastifyRequest;
  /** The name of the route's operation; `none` for what is asked of no route. */
  readonly operation: string;
  /** One of the methods there are, else `OTHER`. */
  readonly method: string;
  /** The route's pattern, never the address that was asked. */
  readonly route: string;
  /** 499: the client left before it had its answer. */
  readonly status: number;
  readonly durationMs: number;
  readonly trace: Trace;
  /** Taken at the start: a connection that is gone has none. */
  readonly address: string;
}

export interface RequestObserver {
  started?(request: FastifyRequest, reply: FastifyReply, trace: Trace): void;
  finished(done: Finished): void;
  /** What the error handler was given. */
  failed?(error: unknown, request: FastifyRequest): void;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const CLIENT_LEFT = 499;

/**
 * Watches every request once, for all observers, and puts `traceparent` and `x-request-id` into its answer. Register it before
 * any hook that may answer (sign-in, 404), or those answers go unseen. The end is the response's `close`: Fastify's own
 * onResponse does not come when the client has left.
 */
export function observeRequests(app: FastifyInstance, observers: readonly RequestObserver[]): void {
  app.addHook("onRequest", (request, reply, done) => {
    const began = monotonic();
    const trace = traceOf(request.raw);
    const address = request.ip;
    reply.header("traceparent", formatTraceparent(trace)).header("x-request-id", request.id);
    for (const observer of observers) observer.started?.(request, reply, trace);
    reply.raw.once("close", () => {
      const finished = { ...whatOf(request, reply), durationMs: monotonic() - began, trace, address };
      for (const observer of observers) observer.finished(finished);
    });
    done();
  });
  app.addHook("onError", (request, _reply, error, done) => {
    for (const observer of observers) observer.failed?.(error, request);
    done();
  });
}

function whatOf(request: FastifyRequest, reply: FastifyReply) {
  const { config, url } = request.routeOptions;
  return {
    request,
    operation: config.operation ?? url ?? "none",
    method: METHODS.has(request.method) ? request.method : "OTHER",
    route: url ?? "none",
    status: statusOf(request, reply),
  };
}

function statusOf(request: FastifyRequest, { raw }: FastifyReply): number {
  if (raw.writableFinished || raw.headersSent) return raw.statusCode;
  // A socket that was handed to the WebSocket: what `raw` says was never sent.
  return handshakeStatus(request.raw) ?? CLIENT_LEFT;
}
