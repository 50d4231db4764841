import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { wantsTelemetry } from "../../../server/src/ops/index.ts";
import { until } from "../streams/bench.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const FIXTURE = new URL("./fixtures/traced.ts", import.meta.url).pathname;

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly Attribute[];
}

const plain = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A collector that keeps what it is sent, by OTLP over HTTP in JSON. */
async function collector() {
  const spans: OtlpSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    expect(request.url).toBe("/v1/traces");
    for (const { resource, scopeSpans } of body.resourceSpans) {
      resources.push(plain(resource.attributes));
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return { spans, resources, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Runs requests in a process of its own: what it answered, which modules it then had, and how long it took to end. */
async function traced(env: Record<string, string>) {
  const { stdout } = await promisify(execFile)(process.execPath, [FIXTURE], {
    env: { PATH: process.env.PATH, ...env },
    timeout: 30_000,
  });
  return JSON.parse(stdout) as { headers: string[]; loaded: string[]; closing: number };
}

describe("spans", () => {
  it("reach the collector that the environment names, in the caller's trace", async () => {
    const { spans, resources, url } = await collector();
    const { headers, loaded } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await until(() => spans.length === 3, "three spans");
    expect(loaded.length).toBeGreaterThan(0);
    expect(resources[0]).toMatchObject({ "service.name": "alai", "service.version": "1.2.3" });
    const [ok, own, bug] = spans;
    expect(ok).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, name: "GET /tasks/:id", kind: 2 });
    expect(plain(ok?.attributes ?? [])).toMatchObject({
      "http.request.method": "GET",
      "http.route": "/tasks/:id",
      "http.response.status_code": 200,
      "url.path": "/tasks/7",
      "url.scheme": "http",
      "client.address": "127.0.0.0/24",
      "alai.operation": "getTask",
    });
    expect(own?.traceId).not.toBe(TRACE);
    expect(own?.parentSpanId ?? "").toBe("");
    expect(bug).toMatchObject({ name: "GET /bug", status: { code: 2 } });
    // What the answer's header says is the span itself.
    expect(headers).toEqual([ok, own, bug].map((span) => `00-${span?.traceId}-${span?.spanId}-01`));
    expect(JSON.stringify(spans)).not.toContain("canary");
  });

  it("are not recorded when the caller did not sample", async () => {
    const { spans, url } = await collector();
    const { headers } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: url, TEST_FLAGS: "00" });
    expect(headers[0]).toMatch(/-00$/);
    expect(spans.map(({ traceId }) => traceId)).not.toContain(TRACE);
  });

  it("that nobody takes do not keep the server from stopping", async () => {
    const { closing } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    // Two seconds are what they get. They alone would keep it for ten.
    expect(closing).toBeLessThan(8000);
  });

  it("cost nothing when nobody asks: OpenTelemetry is not loaded", async () => {
    const { loaded, headers } = await traced({});
    expect(loaded).toEqual([]);
    expect(headers[0]).toMatch(new RegExp(`^00-${TRACE}-`));
  });

  it("are asked for by OpenTelemetry's own variables", () => {
    expect(wantsTelemetry({})).toBe(false);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBe(false);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" })).toBe(true);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://x" })).toBe(true);
    expect(wantsTelemetry({ OTEL_TRACES_EXPORTER: "otlp" })).toBe(true);
    expect(wantsTelemetry({ OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" })).toBe(false);
    expect(wantsTelemetry({ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" })).toBe(false);
  });
});
