import { STREAMS } from "@alai/core/wire/routes";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BadRequest } from "../http/bad-request.ts";
import { positionOf } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import { STREAM_LIMITS, type StreamLimits } from "./limits.ts";
import type { StreamKind, StreamObserver } from "./observer.ts";
import { requireSameOrigin } from "./origin.ts";
import { type Place, Registry } from "./registry.ts";
import { SocketStream } from "./socket.ts";
import { SseStream } from "./sse.ts";
import type { Position } from "./subscription.ts";
import { isUpgrade, routeUpgrades, upgrade } from "./upgrade.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Open for as long as the client likes: no request that a stopping server waits for. */
    stream?: boolean;
  }
}

export interface StreamsOptions {
  readonly feed: Feed;
  readonly limits?: Partial<StreamLimits> | undefined;
  readonly observer?: StreamObserver | undefined;
  /** Asked again at each heartbeat: a stream must not outlive the token it was opened with. */
  readonly allowed?: ((request: FastifyRequest) => Promise<boolean>) | undefined;
}

/**
 * `GET /events/stream` (server-sent events) and `/events/ws` (WebSocket), with scope and errors like every other route: what
 * can be refused is refused with a problem before the stream begins.
 */
export function registerStreams(
  app: FastifyInstance,
  { feed, limits: given, observer, allowed }: StreamsOptions,
): void {
  const limits = { ...STREAM_LIMITS, ...given };
  const registry = new Registry(limits, observer, allowed);
  app.addHook("onClose", async () => registry.close());
  // For an app that is closed without ceremony; a graceful stop has ended the streams before.
  app.addHook("preClose", async () => feed.close(limits.retry));

  app.route({
    ...routeOf("eventStream"),
    handler: async (request, reply) => {
      const position = positionOf(request);
      const place = await admit(registry, feed, "sse", position, request, reply);
      new SseStream(reply, feed, position, limits, place);
      return reply;
    },
  });

  routeUpgrades(app);
  app.route({
    ...routeOf("eventSocket"),
    handler: async (request, reply) => {
      if (!isUpgrade(request.raw)) throw upgradeRequired(reply);
      requireSameOrigin(request);
      const position = positionOf(request);
      const place = await admit(registry, feed, "websocket", position, request, reply);
      reply.hijack();
      const socket = await upgrade(request.raw);
      if (socket) new SocketStream(socket, request.raw.socket, feed, position, limits, place);
      else place.leave();
      return reply;
    },
  });
}

function routeOf(operation: "eventStream" | "eventSocket") {
  const { path, query, scope } = STREAMS[operation];
  return {
    method: "GET",
    url: path,
    // A HEAD route would open a stream and send nothing.
    exposeHeadRoute: false,
    schema: { querystring: query, hide: true },
    config: { operation, scope, stream: true },
  } as const;
}

/** A place for a stream that can begin. Throws BadRequest when there is none, and what `Feed.check` throws. */
async function admit(
  registry: Registry,
  feed: Feed,
  kind: StreamKind,
  position: Position,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Place> {
  const place = placeOf(registry, kind, request, reply);
  try {
    await feed.check(position);
    return place;
  } catch (error) {
    place.leave();
    throw error;
  }
}

function placeOf(registry: Registry, kind: StreamKind, request: FastifyRequest, reply: FastifyReply): Place {
  try {
    return registry.take(kind, request);
  } catch (error) {
    reply.header("retry-after", "10");
    throw error;
  }
}

function upgradeRequired(reply: FastifyReply): BadRequest {
  reply.headers({ connection: "Upgrade", upgrade: "websocket" });
  return new BadRequest("upgrade_required", "This is a WebSocket.", "For plain HTTP there is /events/stream.", 426);
}
