import { type Operation, ROUTES, type Route } from "@alai/core/wire/routes";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BadRequest } from "./bad-request.ts";
import type { Call, Handler, Handlers, ServedLedger } from "./call.ts";
import { callerOf } from "./caller.ts";
import { schemaOf } from "./schema.ts";
import { optionalBody } from "./validation.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The name that metrics and logs know it by. */
    operation?: string;
  }
}

export interface Registration {
  readonly ledger: ServedLedger;
  readonly handlers: Handlers;
  /** Called after each change that was made. */
  readonly changed: () => void;
  /** Fires when the server is about to stop: what waits for news ends. */
  readonly stopping: AbortSignal;
}

/** Puts every route of the table on the app. */
export function registerRoutes(app: FastifyInstance, registration: Registration): void {
  for (const [operation, route] of Object.entries(ROUTES) as [Operation, Route][]) {
    if (route.body && route.bodyOptional) optionalBody(route.body);
    app.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(operation, route),
      config: { operation, scope: route.scope },
      ...(route.bodyLimit !== undefined && { bodyLimit: route.bodyLimit }),
      handler: handlerOf(operation, route, registration),
    });
  }
}

function handlerOf(operation: Operation, route: Route, { ledger, handlers, changed, stopping }: Registration) {
  const handle = handlers[operation] as Handler<Operation>;
  const inFlight = new Set<string>();
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const caller = callerOf(request, reply, route.keyed === true);
    if (route.status === 201) reply.code(201);
    const call = { ledger, caller, params: request.params, query: request.query, body: request.body, request, reply };
    const run = () =>
      handle(Object.defineProperty(call, "gone", { get: () => goneOf(request, stopping) }) as Call<Operation>);
    const answer = caller.request ? await once(inFlight, `${caller.actor}\n${caller.request.key}`, run) : await run();
    if (route.method !== "GET") changed();
    return answer;
  };
}

/** One request under a key at a time; a second that comes meanwhile is told so, rather than made to wait. */
async function once<T>(inFlight: Set<string>, key: string, run: () => Promise<T>): Promise<T> {
  if (inFlight.has(key))
    throw new BadRequest(
      "in_flight",
      "A request with this Idempotency-Key is being answered just now.",
      409,
      "Send it again in a moment.",
    );
  inFlight.add(key);
  try {
    return await run();
  } finally {
    inFlight.delete(key);
  }
}

/** Made only for a handler that asks: a listener on every request's socket would cost all of them. */
function goneOf(request: FastifyRequest, stopping: AbortSignal): AbortSignal {
  const left = new AbortController();
  request.raw.once("close", () => left.abort());
  request.socket.once("close", () => left.abort());
  return AbortSignal.any([left.signal, stopping]);
}
