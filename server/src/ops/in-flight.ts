import { problem } from "@alai/core/wire/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { PROBLEM_HEADERS } from "../http/problems.ts";
import type { RequestObserver } from "./observe.ts";

interface Open {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Where a request stands among those that are open. */
const PLACE = Symbol("place");
type Placed = FastifyRequest & { [PLACE]?: number | undefined };

/** Requests that are being answered now: what a stopping server waits for. Streams are counted apart: they end when they are told. */
export class InFlight {
  readonly observer: RequestObserver;
  /**
   * An array whose holes the last one fills, and no Map: a Map that makes room leaves its old table, with all that was in it,
   * tied to the new one, so that every request lives on until the next full garbage collection.
   */
  readonly #open: Open[] = [];
  #streams = 0;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.observer = {
      started: (request, reply) => {
        if (request.routeOptions.config.stream) this.#streams += 1;
        else (request as Placed)[PLACE] = this.#open.push({ request, reply }) - 1;
      },
      finished: ({ request }) => {
        if (!this.#remove(request)) this.#streams -= 1;
        for (const look of this.#waiting) look();
      },
    };
  }

  /** Without streams. */
  get size(): number {
    return this.#open.length;
  }

  /** Resolves when no request is being answered. */
  none(): Promise<void> {
    return this.#until(() => this.#open.length === 0);
  }

  /** Resolves when there is no stream either. */
  nothing(): Promise<void> {
    return this.#until(() => this.#open.length === 0 && this.#streams === 0);
  }

  #remove(request: Placed): boolean {
    const at = request[PLACE];
    if (at === undefined) return false;
    request[PLACE] = undefined;
    const last = this.#open.pop();
    if (!last || last.request === request) return true;
    this.#open[at] = last;
    (last.request as Placed)[PLACE] = at;
    return true;
  }

  #until(over: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!over()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Answers those whose body never came: nothing was done for them, and they may be told so. What the others do is not known. */
  refuseUnfinished(): void {
    for (const { request, reply } of this.#open) {
      if (request.raw.complete || reply.raw.headersSent) continue;
      reply.hijack();
      const body = JSON.stringify(
        problem(
          503,
          "unavailable",
          "The server stopped before the request's body had come.",
          "Nothing was done for it: send it again in a moment.",
          { request_id: request.id },
        ),
      );
      reply.raw.writeHead(503, { ...PROBLEM_HEADERS, connection: "close" }).end(body);
    }
  }
}
