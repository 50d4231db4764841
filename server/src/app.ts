import type { Scope } from "@alai/core/wire/routes";
import Fastify, { type FastifyInstance } from "fastify";
import type { Authenticator, Subject } from "./auth/subject.ts";
import { readJsonBodies } from "./http/body.ts";
import type { ServedLedger } from "./http/call.ts";
import { batchHandlers } from "./http/handlers/batch.ts";
import { journalHandlers } from "./http/handlers/journal.ts";
import { leaseHandlers } from "./http/handlers/leases.ts";
import { taskHandlers } from "./http/handlers/tasks.ts";
import { transferHandlers } from "./http/handlers/transfer.ts";
import { answerUnrouted } from "./http/methods.ts";
import { documentApi } from "./http/openapi.ts";
import { answerProblems, answerUnreadable, rawProblem } from "./http/problems.ts";
import { registerRoutes } from "./http/register.ts";
import { requireScope } from "./http/scope.ts";
import { validatorCompiler } from "./http/validation.ts";
import type { Feed } from "./streams/index.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. Set before anything else happens; nobody on open routes. */
    subject: Subject;
  }
  interface FastifyContextConfig {
    /** What a token must allow; null is open to everyone. Absent: refused, so that no route is open by oversight. */
    scope?: Scope | null;
  }
}

export interface AppOptions {
  readonly ledger: ServedLedger;
  readonly feed: Feed;
  readonly authenticator: Authenticator;
  readonly version: string;
  /** Fires when the server is about to stop. */
  readonly stopping: AbortSignal;
  /** Observers (logs, metrics, traces, rate limit) and further routes, registered before the API's own. */
  readonly extend?: (app: FastifyInstance) => Promise<void>;
  readonly requestId?: (headers: Readonly<Record<string, unknown>>) => string;
}

const BODY_LIMIT = 2 ** 20;

/** The API over one ledger, without a port: `inject` or `listen` on it. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { ledger, feed, authenticator, version, stopping } = options;
  let made = 0;
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 60_000,
    // A proxy in front keeps its connections longer than this: it would otherwise send into one that is just closed.
    keepAliveTimeout: 75_000,
    http: { maxHeaderSize: 16 * 1024 },
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    genReqId: (request) => options.requestId?.(request.headers) ?? `r${++made}`,
    frameworkErrors: answerUnreadable,
    clientErrorHandler(error, socket) {
      if (socket.writable) socket.end(rawProblem(error.code));
      else socket.destroy();
    },
  });
  app.setValidatorCompiler(validatorCompiler as never);
  app.setSerializerCompiler(() => JSON.stringify);
  readJsonBodies(app);
  answerProblems(app);
  answerUnrouted(app);
  letIn(app, authenticator);
  await options.extend?.(app);
  await documentApi(app, version);
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
    },
  });
  return app;
}

/** Nobody gets further than this without the scope that the route asks for. */
function letIn(app: FastifyInstance, authenticator: Authenticator): void {
  app.decorateRequest("subject");
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    const { scope } = request.routeOptions.config;
    if (scope === null) return;
    request.subject = await authenticator.authenticate(request.headers, request.raw.rawHeaders);
    requireScope(request.subject, scope ?? "admin");
  });
}
