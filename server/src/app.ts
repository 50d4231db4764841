import type { IncomingHttpHeaders } from "node:http";
import type { Access } from "@alai/core/wire/scopes";
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from "fastify";
import { AuthError, type Gate, type GateRequest, type Subject } from "./auth/index.ts";
import { readJsonBodies } from "./http/body.ts";
import type { ServedLedger } from "./http/call.ts";
import { batchHandlers } from "./http/handlers/batch.ts";
import { identityHandlers } from "./http/handlers/identity.ts";
import { journalHandlers } from "./http/handlers/journal.ts";
import { leaseHandlers } from "./http/handlers/leases.ts";
import { taskHandlers } from "./http/handlers/tasks.ts";
import { transferHandlers } from "./http/handlers/transfer.ts";
import { answerUnrouted } from "./http/methods.ts";
import { documentApi } from "./http/openapi.ts";
import { part } from "./http/part.ts";
import { answerProblems, answerUnreadable } from "./http/problems.ts";
import { answerOddRequests, rawProblem, requireOneHost } from "./http/raw.ts";
import { registerRoutes } from "./http/register.ts";
import { COMPILERS } from "./http/validation.ts";
import type { Feed } from "./streams/index.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. Set before anything else happens; nobody on open routes. */
    subject: Subject;
  }
  interface FastifyContextConfig {
    /** What a token must allow; null is open to everyone. Absent: refused, so that no route is open by oversight. */
    scope?: Access | null;
  }
}

export interface AppOptions {
  readonly ledger: ServedLedger;
  readonly feed: Feed;
  readonly gate: Gate;
  readonly version: string;
  /** Fires when the server is about to stop. */
  readonly stopping: AbortSignal;
  /** Watchers of requests (logs, metrics, traces): registered before anything that may answer. */
  readonly watch?: (app: FastifyInstance) => void;
  /** Further routes: streams, health, metrics. */
  readonly extend?: (app: FastifyInstance) => void | Promise<void>;
  readonly logging?: Pick<FastifyServerOptions, "loggerInstance" | "logController" | "childLoggerFactory">;
  readonly requestId?: (headers: IncomingHttpHeaders) => string;
  /** Addresses of proxies whose X-Forwarded-For counts. */
  readonly trustProxy?: string | undefined;
}

const BODY_LIMIT = 2 ** 20;

/** The API over one ledger, without a port: `inject` or `listen` on it. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { ledger, feed, gate, version, stopping } = options;
  let made = 0;
  const app = Fastify({
    ...(options.logging ?? { logger: false }),
    trustProxy: options.trustProxy ?? false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 60_000,
    // A proxy in front keeps its connections longer than this: it would otherwise send into one that is just closed.
    keepAliveTimeout: 75_000,
    // The longest cursor, percent-encoded, and room for the rest.
    http: { maxHeaderSize: 32 * 1024, requireHostHeader: false },
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    genReqId: (request) => options.requestId?.(request.headers) ?? `r${++made}`,
    frameworkErrors: answerUnreadable,
    schemaController: COMPILERS,
    clientErrorHandler(error, socket) {
      if (socket.writable) part(socket, rawProblem(error.code));
      else socket.destroy();
    },
  });
  answerOddRequests(app);
  readJsonBodies(app);
  answerProblems(app);
  options.watch?.(app);
  app.addHook("onRequest", async (request) => requireOneHost(request));
  answerUnrouted(app);
  letIn(app, gate);
  documentApi(app, version);
  await options.extend?.(app);
  registerRoutes(app, {
    ledger,
    stopping,
    changed: () => feed.nudge(),
    handlers: {
      ...taskHandlers,
      ...leaseHandlers,
      ...batchHandlers,
      ...journalHandlers(feed, ledger),
      ...transferHandlers,
      ...identityHandlers,
    },
  });
  return app;
}

const ALWAYS: ReadonlySet<string> = new Set(["healthz", "readyz"]);

/** Nobody gets further than this without the scope that the route asks for. */
function letIn(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest("subject");
  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    const { scope = "admin" } = request.routeOptions.config;
    // A supervisor that is told to slow down would end the server.
    if (!ALWAYS.has(request.routeOptions.config.operation ?? ""))
      gate.arrive(request.ip, (headers) => reply.headers(headers));
    if (scope !== null)
      request.subject = await gate.enter(entryOf(request), scope, (headers) => reply.headers(headers));
  });
  // Whose name a request may use is seen only when it is read.
  app.addHook("onError", async (request, _reply, error) => {
    if (error instanceof AuthError && request.subject) gate.refused(entryOf(request), error, request.subject);
  });
}

function entryOf(request: FastifyRequest): GateRequest {
  return {
    id: request.id,
    headers: request.headers,
    rawHeaders: request.raw.rawHeaders,
    address: request.ip,
    route: `${request.method} ${request.routeOptions.url ?? ""}`,
  };
}
