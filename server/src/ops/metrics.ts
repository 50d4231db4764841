import { Refusal } from "@alai/core";
import type { FastifyInstance } from "fastify";
import type { Feed, StreamKind, StreamObserver } from "../streams/index.ts";
import type { Instruments } from "./instruments.ts";
import type { RequestObserver } from "./observe.ts";

/** A number that is read when it is asked for. */
export interface GaugeSource {
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

export interface MetricsOptions {
  readonly feed: Feed;
  /** Of the store's pool, for one. */
  readonly gauges?: readonly GaugeSource[] | undefined;
}

/** How long after the start prom-client is loaded, if nobody asks before: it takes 30 to 45 ms that no request should wait for. */
const LOAD_AFTER = 1000;

/**
 * What the server counts, for Prometheus. Labels are names of operations, methods, statuses and codes: never what a client made
 * up. Until prom-client is loaded the counts are kept as what is to be done to them.
 */
export class Metrics {
  readonly requests: RequestObserver;
  readonly streams: StreamObserver;
  readonly #options: MetricsOptions;
  #instruments: Instruments | undefined;
  #loading: Promise<Instruments> | undefined;
  #waiting: ((instruments: Instruments) => void)[] = [];

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.requests = {
      finished: (done) => this.#count((to) => to.request(done)),
      failed: (error) => {
        if (error instanceof Refusal) this.#count((to) => to.refusals.inc({ code: error.code }));
      },
    };
    const streams = (kind: StreamKind, by: number) => this.#count((to) => to.streams.inc({ kind }, by));
    this.streams = {
      opened: (kind) => streams(kind, 1),
      closed: (kind) => streams(kind, -1),
      cut: (kind, reason) => this.#count((to) => to.cuts.inc({ kind, reason })),
    };
  }

  /** Loads in the background, once the server is up. */
  start(): void {
    setTimeout(() => void this.#load(), LOAD_AFTER).unref();
  }

  stop(): void {
    this.#instruments?.stop();
  }

  /** The text that Prometheus reads, and its content type. */
  async text(): Promise<{ readonly type: string; readonly body: string }> {
    const { registry } = await this.#load();
    return { type: registry.contentType, body: await registry.metrics() };
  }

  #count(change: (instruments: Instruments) => void): void {
    if (this.#instruments) change(this.#instruments);
    else this.#waiting.push(change);
  }

  #load(): Promise<Instruments> {
    this.#loading ??= import("./instruments.ts").then(({ createInstruments }) => {
      this.#instruments = createInstruments(this.#gauges());
      for (const change of this.#waiting) change(this.#instruments);
      this.#waiting = [];
      return this.#instruments;
    });
    return this.#loading;
  }

  #gauges(): GaugeSource[] {
    const { feed, gauges = [] } = this.#options;
    return [
      {
        name: "alai_feed_lag_seconds",
        help: "From the store's time of the newest event to when this process read it.",
        read: () => feed.lag / 1000,
      },
      { name: "alai_feed_subscribers", help: "Readers of the feed, long polls included.", read: () => feed.size },
      {
        name: "process_resident_memory_bytes",
        help: "Resident memory.",
        read: () => process.memoryUsage.rss(),
      },
      ...gauges,
    ];
  }
}

/** `/metrics`, open to everyone who reaches it: it names no task and no person. */
export function registerMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onListen", async () => metrics.start());
  app.addHook("onClose", async () => metrics.stop());
  const options = { schema: { hide: true }, config: { operation: "metrics", scope: null } };
  app.get("/metrics", options, async (_request, reply) => {
    const { type, body } = await metrics.text();
    return reply.header("content-type", type).send(body);
  });
}
