import { problem } from "@alai/core/wire/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RequestObserver } from "./observe.ts";

/** Requests that are being answered now, without streams: what a stopping server waits for. */
export class InFlight {
  readonly observer: RequestObserver;
  readonly #open = new Map<FastifyRequest, FastifyReply>();
  #none: (() => void) | undefined;

  constructor() {
    this.observer = {
      started: (request, reply) => {
        if (!request.routeOptions.config.stream) this.#open.set(request, reply);
      },
      finished: ({ request }) => {
        this.#open.delete(request);
        if (this.#open.size === 0) this.#none?.();
      },
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Resolves when no request is being answered. */
  async none(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#none = resolve));
  }

  /** Answers those whose body never came: nothing was done for them, and they may be told so. What the others do is not known. */
  refuseUnfinished(): void {
    for (const [request, reply] of this.#open) {
      if (request.raw.complete || reply.raw.headersSent) continue;
      reply.hijack();
      const body = JSON.stringify(
        problem(503, "unavailable", "The server stopped before the request's body had come.", {
          request_id: request.id,
        }),
      );
      reply.raw
        .writeHead(503, { "content-type": "application/problem+json; charset=utf-8", connection: "close" })
        .end(body);
    }
  }
}
