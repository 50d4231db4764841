export { createFeed, Feed, type FeedOptions } from "./feed.ts";
export { waitForEvents } from "./long-poll.ts";
export type { CutReason, StreamKind, StreamObserver } from "./observer.ts";
export { registerStreams, type StreamsOptions } from "./plugin.ts";
export { CLOSE } from "./socket.ts";
export { cutUpgraded, handshakeStatus } from "./upgrade.ts";
