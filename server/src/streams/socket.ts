import type { IncomingMessage } from "node:http";
import { monotonic } from "@alai/core/monotonic";
import type { WebSocket } from "ws";
import type { Feed } from "./feed.ts";
import { type End, endAsMessage, type Frame } from "./frame.ts";
import type { StreamLimits } from "./limits.ts";
import type { Beating, Place } from "./registry.ts";
import type { Position, Sink, Subscription } from "./subscription.ts";

/** Why the server closes a socket. */
export const CLOSE = {
  /** The server stops; the `bye` message before it says when to come back. */
  bye: 1001,
  /** The client sent something: there is nothing to say here. (1009 when it is over 1 KiB.) */
  spoke: 1008,
  /** Events that the reader needs are not kept; the `gap` message before it says which. */
  gap: 4410,
} as const;

/** How long a client may take to answer a close, in milliseconds. */
const CLOSING = 1000;

/**
 * One WebSocket that carries the journal: text messages `{"type":"event","event":…}`, and `gap` or `bye` before the close.
 * What the socket does not take is not fetched. A client that answers no ping for `stall` is cut.
 */
export class SocketStream implements Sink, Beating {
  readonly #socket: WebSocket;
  readonly #raw: IncomingMessage["socket"];
  readonly #place: Place;
  readonly #limits: StreamLimits;
  readonly #subscription: Subscription;
  #heard = monotonic();

  constructor(
    socket: WebSocket,
    raw: IncomingMessage["socket"],
    feed: Feed,
    position: Position,
    limits: StreamLimits,
    place: Place,
  ) {
    this.#socket = socket;
    this.#raw = raw;
    this.#limits = limits;
    this.#place = place;
    this.#subscription = feed.subscribe(position, this);
    place.opened(this);
    raw.on("drain", () => this.#subscription.resume());
    socket.on("pong", () => {
      this.#heard = monotonic();
    });
    socket.on("message", () => this.#spoke());
    socket.on("error", () => {});
    socket.once("close", () => this.#closed());
  }

  take(frames: readonly Frame[]): boolean {
    for (const { ws } of frames) this.#socket.send(ws, { binary: false });
    return !this.#raw.writableNeedDrain;
  }

  end(why: End): void {
    if (why.type === "gap") this.#place.cut("gap");
    this.#socket.send(endAsMessage(why));
    this.#close(CLOSE[why.type], why.type);
  }

  /** Asks for a sign of life, or gives up waiting for one. */
  beat(): void {
    if (monotonic() - this.#heard < this.#limits.stall) {
      this.#socket.ping();
      return;
    }
    this.#place.cut("slow");
    this.#socket.terminate();
  }

  #spoke(): void {
    this.#subscription.cancel();
    this.#place.cut("protocol");
    this.#close(CLOSE.spoke, "Nothing is to be sent here.");
  }

  /** A client that does not answer the close must not hold a server that stops. */
  #close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSING).unref();
  }

  #closed(): void {
    this.#subscription.cancel();
    this.#place.leave();
  }
}
