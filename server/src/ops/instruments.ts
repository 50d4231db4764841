import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { GaugeSource } from "./metrics.ts";
import type { Finished } from "./observe.ts";

/** The counters themselves. Apart from metrics.ts so that prom-client is loaded with them, and not before. */
export interface Instruments {
  readonly registry: Registry;
  readonly refusals: Counter<"code">;
  readonly streams: Gauge<"kind">;
  readonly cuts: Counter<"kind" | "reason">;
  request(done: Finished): void;
  /** Nothing is measured any more. */
  stop(): void;
}

/** 1 ms to 10 s; a claim takes 2 ms. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createInstruments(gauges: readonly GaugeSource[]): Instruments {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests that are over.",
    labelNames: ["operation", "method", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "From the request's head to the answer's end; streams are not in it.",
    labelNames: ["operation"],
    buckets: BUCKETS,
    registers,
  });
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  for (const { name, help, read } of [...gauges, eventLoopLag(delay)]) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
  return {
    registry,
    refusals: new Counter({
      name: "alai_refusals_total",
      help: "What the ledger refused, by code.",
      labelNames: ["code"],
      registers,
    }),
    streams: new Gauge({ name: "alai_streams", help: "Open streams.", labelNames: ["kind"], registers }),
    cuts: new Counter({
      name: "alai_stream_cut_total",
      help: "Streams that the server ended: slow, gap, protocol.",
      labelNames: ["kind", "reason"],
      registers,
    }),
    stop: () => void delay.disable(),
    request({ operation, method, status, durationMs, request }) {
      requests.inc({ operation, method, status });
      if (!request.routeOptions.config.stream) durations.observe({ operation }, durationMs / 1000);
    },
  };
}

function eventLoopLag(delay: ReturnType<typeof monitorEventLoopDelay>): GaugeSource {
  return {
    name: "nodejs_eventloop_lag_seconds",
    help: "The 99th percentile of the event loop's delay since the last scrape.",
    read() {
      const seconds = delay.percentile(99) / 1e9;
      delay.reset();
      return seconds;
    },
  };
}
