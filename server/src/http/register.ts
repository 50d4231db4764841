import { type Caller, inFlight } from "@alai/core";
import { type Operation, ROUTES, type Route } from "@alai/core/wire/routes";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Call, Handler, Handlers, ServedLedger } from "./call.ts";
import { callerOf, requireSession } from "./caller.ts";
import { checksOf } from "./schema.ts";
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
  const running = new Set<string>();
  for (const [operation, route] of Object.entries(ROUTES) as [Operation, Route][]) {
    if (route.body && route.bodyOptional) optionalBody(route.body);
    app.route({
      method: route.method,
      url: route.path,
      schema: checksOf(route),
      config: { operation, scope: route.scope },
      ...(route.bodyLimit !== undefined && { bodyLimit: route.bodyLimit }),
      handler: handlerOf(operation, route, registration, running),
    });
  }
}

function handlerOf(
  operation: Operation,
  route: Route,
  { ledger, handlers, changed, stopping }: Registration,
  running: Set<string>,
) {
  const handle = handlers[operation] as Handler<Operation>;
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (route.session) requireSession(request);
    const caller = callerOf(request, reply, route.keyed === true);
    if (route.status === 201) reply.code(201);
    const run = () => handle(new Asked(ledger, caller, request, reply, stopping) as Call<Operation>);
    const answer = caller.request ? await once(running, caller.actor, caller.request.key, run) : await run();
    if (route.method !== "GET") changed();
    return answer;
  };
}

/** One request under a key at a time; a second that comes meanwhile is told so, rather than made to wait. */
async function once<T>(running: Set<string>, actor: string, key: string, run: () => Promise<T>): Promise<T> {
  const name = `${actor}\n${key}`;
  if (running.has(name)) throw inFlight(key);
  running.add(name);
  try {
    return await run();
  } finally {
    running.delete(name);
  }
}

/** A class, because an accessor that each request defines for itself is kept until the next full garbage collection. */
class Asked implements Pick<Call<Operation>, "ledger" | "caller" | "request" | "reply" | "gone"> {
  readonly ledger: ServedLedger;
  readonly caller: Caller;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly #stopping: AbortSignal;

  constructor(
    ledger: ServedLedger,
    caller: Caller,
    request: FastifyRequest,
    reply: FastifyReply,
    stopping: AbortSignal,
  ) {
    this.ledger = ledger;
    this.caller = caller;
    this.params = request.params;
    this.query = request.query;
    this.body = request.body;
    this.request = request;
    this.reply = reply;
    this.#stopping = stopping;
  }

  /** Made only for a handler that asks: a listener on every response would cost all of them. */
  get gone(): AbortSignal {
    const left = new AbortController();
    this.reply.raw.once("close", () => left.abort());
    return AbortSignal.any([left.signal, this.#stopping]);
  }
}
