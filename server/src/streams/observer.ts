/** How a stream reaches its reader. */
export type StreamKind = "sse" | "websocket" | "long_poll";
/** Why the server ended a stream by itself, other than at shutdown. */
export type CutReason = "slow" | "gap" | "protocol";

/** Told of streams, for metrics. */
export interface StreamObserver {
  opened(kind: StreamKind): void;
  closed(kind: StreamKind): void;
  cut(kind: StreamKind, reason: CutReason): void;
}
