import type { Millis } from "@alai/core";

/** What streams may cost. */
export interface StreamLimits {
  /** Streams of this process, SSE and WebSocket together. */
  readonly total: number;
  /** Streams of one subject. */
  readonly perSubject: number;
  /** A sign of life when there is nothing to send. Proxies close what is silent for a minute or so. */
  readonly heartbeat: Millis;
  /** A reader that takes nothing for so long is cut. */
  readonly stall: Millis;
  /**
   * A server-sent stream ends after so long, and its reader comes back where it was. Nothing else tells a reader whose machine
   * vanished: heartbeats go to it without an answer until TCP gives up, a quarter of an hour on Linux, and never behind a proxy
   * that still takes them.
   */
  readonly lifetime: Millis;
  /** What clients are told to wait before they come back. */
  readonly retry: Millis;
}

export const STREAM_LIMITS: StreamLimits = {
  total: 1000,
  perSubject: 250,
  heartbeat: 15_000,
  stall: 30_000,
  lifetime: 300_000,
  retry: 2000,
};
