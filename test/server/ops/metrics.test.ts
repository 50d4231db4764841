import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Refusal } from "@alai/core";
import { describe, expect, it } from "vitest";
import { Metrics, registerMetrics } from "../../../server/src/ops/index.ts";
import { openFeed, openLedger, Reader } from "../streams/bench.ts";
import { observedApp } from "./app.ts";

async function measured() {
  const { ledger } = await openLedger();
  const feed = openFeed(ledger);
  const metrics = new Metrics({ feed, gauges: [{ name: "alai_pool_idle", help: "Idle.", read: () => 3 }] });
  const made = await observedApp({ observers: [metrics.requests] }, (app) => {
    registerMetrics(app, metrics);
    app.get("/held", { config: { operation: "claim" } }, async () => {
      throw new Refusal("held", "Held by another.");
    });
    app.get("/stream", { config: { operation: "eventStream", stream: true } }, async () => "");
  });
  const scrape = async () => {
    const { body, headers } = await made.app.inject({ url: "/metrics" });
    expect(headers["content-type"]).toContain("text/plain");
    return Object.fromEntries(
      body
        .split("\n")
        .filter((line) => line && !line.startsWith("#"))
        .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
    );
  };
  return { ...made, metrics, feed, scrape };
}

describe("/metrics", () => {
  it("counts requests by operation, method and status, also from before it was first asked", async () => {
    const { app, scrape } = await measured();
    for (let i = 0; i < 3; i += 1) await app.inject({ url: `/tasks/${i}` });
    const first = await scrape();
    expect(first['http_requests_total{operation="getTask",method="GET",status="200"}']).toBe(3);
    expect(first['http_request_duration_seconds_count{operation="getTask"}']).toBe(3);
    expect(first['http_request_duration_seconds_bucket{le="+Inf",operation="getTask"}']).toBe(3);
    await app.inject({ url: "/tasks/9" });
    const second = await scrape();
    expect(second['http_requests_total{operation="getTask",method="GET",status="200"}']).toBe(4);
    expect(second['http_requests_total{operation="metrics",method="GET",status="200"}']).toBe(1);
  });

  it("has labels that no client can make more of", async () => {
    const { app, scrape } = await measured();
    const before = Object.keys(await scrape()).length;
    await app.inject({ url: "/nowhere" });
    await app.inject({ method: "PROPFIND" as never, url: "/tasks/1" });
    const some = Object.keys(await scrape());
    for (let i = 0; i < 50; i += 1)
      await app.inject({ url: `/nowhere/${i}?x=${i}`, headers: { "x-request-id": `r${i}` } });
    const many = Object.keys(await scrape());
    expect(many).toEqual(some);
    expect(many.length).toBeGreaterThan(before);
    expect(many.join()).toContain('operation="none"');
  });

  it("counts refusals by code, streams by kind and how they were cut", async () => {
    const { app, metrics, scrape } = await measured();
    await app.inject({ url: "/held" });
    await app.inject({ url: "/held" });
    metrics.streams.opened("sse");
    metrics.streams.opened("sse");
    metrics.streams.opened("websocket");
    metrics.streams.closed("sse");
    metrics.streams.cut("sse", "slow");
    await app.inject({ url: "/stream" });
    const read = await scrape();
    expect(read).toMatchObject({
      'alai_refusals_total{code="held"}': 2,
      'alai_streams{kind="sse"}': 1,
      'alai_streams{kind="websocket"}': 1,
      'alai_stream_cut_total{kind="sse",reason="slow"}': 1,
    });
    expect(read['http_requests_total{operation="eventStream",method="GET",status="200"}']).toBe(1);
    // Streams are as long as their readers like: in a histogram of durations they would say nothing.
    expect(read['http_request_duration_seconds_count{operation="eventStream"}']).toBeUndefined();
  });

  it("has the process and the store as they are now", async () => {
    const { feed, scrape } = await measured();
    Reader.on(feed, 0);
    const read = await scrape();
    expect(read.process_resident_memory_bytes).toBeGreaterThan(10_000_000);
    expect(read.nodejs_eventloop_lag_seconds).toBeGreaterThanOrEqual(0);
    expect(read.alai_feed_lag_seconds).toBeGreaterThanOrEqual(0);
    expect(read.alai_feed_subscribers).toBe(1);
    expect(read.alai_pool_idle).toBe(3);
  });

  it("does not load prom-client before it is needed", async () => {
    const index = new URL("../../../server/src/ops/index.ts", import.meta.url).href;
    const script = `
      import { createRequire } from "node:module";
      import { Metrics } from ${JSON.stringify(index)};
      const metrics = new Metrics({ feed: { lag: 0, size: 0 } });
      const loaded = () => Object.keys(createRequire(${JSON.stringify(index)}).cache).filter((path) => path.includes("prom-client")).length > 0;
      metrics.requests.failed(new Error("x"));
      const before = loaded();
      await metrics.text();
      console.log(before, loaded());
      metrics.stop();`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect(stdout.trim()).toBe("false true");
  });
});
