import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { monotonic } from "@alai/core/monotonic";
import type { FastifyReply } from "fastify";
import type { Feed } from "./feed.ts";
import { type End, endAsSse, type Frame } from "./frame.ts";
import type { StreamLimits } from "./limits.ts";
import type { Beating, Place } from "./registry.ts";
import type { Position, Sink, Subscription } from "./subscription.ts";

const HEARTBEAT = ": \n\n";
/** When to come back, for a reader whose stream was open long enough, in milliseconds. */
const RETURN = 100;

/**
 * One response that carries the journal as server-sent events: `id:` is the event's number, `data:` its JSON, of the default
 * type `message`; `event: gap` and `event: bye` come last. What the socket does not take is not fetched; a socket that takes
 * nothing for `stall` is cut; after its `lifetime` it ends, for a reader that is still there to come back.
 */
export class SseStream implements Sink, Beating {
  readonly #response: ServerResponse;
  readonly #place: Place;
  readonly #subscription: Subscription;
  readonly #until: number;
  #ended = false;

  /** Takes the reply over and sends its head at once. */
  constructor(reply: FastifyReply, feed: Feed, position: Position, limits: StreamLimits, place: Place) {
    reply.hijack();
    this.#response = reply.raw;
    this.#place = place;
    // Up to a fifth less: those who came together after a restart do not all come back together.
    this.#until = monotonic() + limits.lifetime * (1 - Math.random() / 5);
    // Not in chunks: the stream ends with its connection, and an event then is one write of bytes that all readers share.
    this.#response.useChunkedEncodingByDefault = false;
    this.#response.writeHead(200, {
      ...(reply.getHeaders() as OutgoingHttpHeaders),
      "content-type": "text/event-stream; charset=utf-8",
      // no-transform: a proxy that compresses would hold events back until its block is full.
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      // The connection ends with the stream: nothing may keep it when the server stops.
      connection: "close",
    });
    this.#response.write(`retry: ${limits.retry}\n\n`);
    this.#subscription = feed.subscribe(position, this);
    place.opened(this);
    this.#response.on("drain", () => this.#subscription.resume());
    this.#response.once("close", () => this.#closed());
    this.#response.on("error", () => {});
    // Node counts bytes that leave for the network as activity, so this fires for a reader that takes none.
    this.#response.setTimeout(limits.stall, () => this.#stalled());
    // It may have gone while the ledger was asked whether it can be served.
    if (this.#response.closed || this.#response.destroyed) this.#closed();
  }

  take(frames: readonly Frame[]): boolean {
    const [only] = frames;
    if (!only) return true;
    return this.#response.write(frames.length === 1 ? only.sse : Buffer.concat(frames.map(({ sse }) => sse)));
  }

  end(why: End): void {
    this.#ended = true;
    if (why.type === "gap") this.#place.cut("gap");
    this.#response.end(endAsSse(why));
  }

  /** Tells proxies and the reader that the stream is alive; a reader that has not taken the last bytes is told by those. */
  beat(): void {
    if (monotonic() > this.#until) this.#subscription.end({ type: "bye", retry_ms: RETURN });
    else if (!this.#ended && this.#response.writableLength === 0) this.#response.write(HEARTBEAT);
  }

  #stalled(): void {
    if (this.#response.writableLength === 0 && !this.#ended) return;
    this.#place.cut("slow");
    this.#response.destroy();
  }

  #closed(): void {
    this.#ended = true;
    this.#subscription.cancel();
    this.#place.leave();
  }
}
