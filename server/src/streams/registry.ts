import type { FastifyRequest } from "fastify";
import { BadRequest } from "../http/bad-request.ts";
import type { End } from "./frame.ts";
import type { StreamLimits } from "./limits.ts";
import type { CutReason, StreamKind, StreamObserver } from "./observer.ts";

/** A stream as the registry knows it. */
export interface Beating {
  /** Gives a sign of life, or ends it when the reader gives none. */
  beat(): void;
  end(why: End): void;
}

/** A stream's place among the others; what it tells the registry of itself. */
export interface Place {
  opened(stream: Beating): void;
  cut(reason: CutReason): void;
  /** Gives the place back. Harmless when it was given back before. */
  leave(): void;
}

/** The open streams of this process: so many and no more, and each gets its heartbeat. */
export class Registry {
  readonly #limits: StreamLimits;
  readonly #observer: StreamObserver | undefined;
  readonly #bySubject = new Map<string, number>();
  /** Streams with the requests that opened them. */
  readonly #open = new Map<Beating, FastifyRequest>();
  readonly #allowed: ((request: FastifyRequest) => Promise<boolean>) | undefined;
  readonly #beating: NodeJS.Timeout;
  #taken = 0;

  constructor(
    limits: StreamLimits,
    observer: StreamObserver | undefined,
    allowed?: (request: FastifyRequest) => Promise<boolean>,
  ) {
    this.#allowed = allowed;
    this.#limits = limits;
    this.#observer = observer;
    this.#beating = setInterval(() => {
      for (const [stream, request] of this.#open) void this.#beat(stream, request);
    }, limits.heartbeat).unref();
  }

  /** Throws BadRequest: 503 when the server is full, 429 when the subject has too many. */
  take(kind: StreamKind, request: FastifyRequest): Place {
    const subject = request.subject?.id ?? "";
    const mine = this.#bySubject.get(subject) ?? 0;
    if (mine >= this.#limits.perSubject)
      throw full(429, `${mine} streams of yours are open already.`, "Close one; one stream is enough for every task.");
    if (this.#taken >= this.#limits.total)
      throw full(503, "This server has as many streams as it can serve.", "Try again later.");
    this.#taken += 1;
    this.#bySubject.set(subject, mine + 1);
    return this.#place(kind, subject, request);
  }

  /** No more heartbeats. */
  close(): void {
    clearInterval(this.#beating);
  }

  /** Ends a stream whose token is not good any more: who still may comes back with a new one. */
  async #beat(stream: Beating, request: FastifyRequest): Promise<void> {
    stream.beat();
    if (this.#allowed && !(await this.#allowed(request))) stream.end({ type: "bye", retry_ms: this.#limits.retry });
  }

  #place(kind: StreamKind, subject: string, request: FastifyRequest): Place {
    let taken = true;
    let stream: Beating | undefined;
    return {
      opened: (opened) => {
        stream = opened;
        this.#open.set(opened, request);
        this.#observer?.opened(kind);
      },
      cut: (reason) => this.#observer?.cut(kind, reason),
      leave: () => {
        if (!taken) return;
        taken = false;
        this.#give(subject);
        if (!stream) return;
        this.#open.delete(stream);
        this.#observer?.closed(kind);
      },
    };
  }

  #give(subject: string): void {
    this.#taken -= 1;
    const left = (this.#bySubject.get(subject) ?? 1) - 1;
    if (left > 0) this.#bySubject.set(subject, left);
    else this.#bySubject.delete(subject);
  }
}

function full(status: 429 | 503, message: string, hint: string): BadRequest {
  return new BadRequest("too_many_streams", message, hint, status);
}
