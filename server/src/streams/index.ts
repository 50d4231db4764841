export { createFeed, Feed, type FeedOptions } from "./feed.ts";
export { STREAM_LIMITS, type StreamLimits } from "./limits.ts";
export { type WaitingQuery, waitForEvents } from "./long-poll.ts";
export type { CutReason, StreamKind, StreamObserver } from "./observer.ts";
export { registerStreams, type StreamsOptions } from "./plugin.ts";
export { CLOSE } from "./socket.ts";
