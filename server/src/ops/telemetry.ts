import { setTimeout as sleep } from "node:timers/promises";
import type { Span } from "@opentelemetry/api";
import type { FastifyRequest } from "fastify";
import { networkOf } from "../audit/address.ts";
import type { Finished, RequestObserver } from "./observe.ts";
import { recordTraces, type Trace } from "./trace.ts";

/** Spans sent to a collector. */
export interface Telemetry {
  readonly observer: RequestObserver;
  /** Sends what is left. Never throws: a collector that is down must not keep the server from stopping. */
  close(): Promise<void>;
}

/** How long the last spans may take, in milliseconds. The exporter's own 10 s would keep a process that has ended from exiting. */
const LAST_SPANS = 2000;

function patience(env: Environment): { timeoutMillis?: number } {
  return env.OTEL_EXPORTER_OTLP_TIMEOUT || env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ? {} : { timeoutMillis: LAST_SPANS };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** True when the environment says where spans go, by OpenTelemetry's own variables. */
export function wantsTelemetry(env: Environment): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true") return false;
  const exporter = env.OTEL_TRACES_EXPORTER?.trim();
  if (exporter) return exporter !== "none";
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

/**
 * A span for each request, sent by OTLP over HTTP; null when the environment does not ask for it, and nothing of OpenTelemetry
 * is then loaded. The SDK reads the rest of its settings (`OTEL_EXPORTER_OTLP_*`, `OTEL_TRACES_SAMPLER`, …) itself.
 */
export async function startTelemetry(env: Environment, version: string): Promise<Telemetry | null> {
  if (!wantsTelemetry(env)) return null;
  const [api, sdk, { OTLPTraceExporter }, { defaultResource, resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const ids = { trace: "", span: "" };
  const own = resourceFromAttributes({ "service.name": env.OTEL_SERVICE_NAME ?? "alai", "service.version": version });
  const provider = new sdk.NodeTracerProvider({
    resource: defaultResource().merge(own),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter(patience(env)))],
    // The ids in the logs and in the answer's header are the span's: there is one trace, whoever looks.
    idGenerator: { generateTraceId: () => ids.trace, generateSpanId: () => ids.span },
  });
  const tracer = provider.getTracer("alai", version);
  recordTraces(true);

  const start = (request: FastifyRequest, trace: Trace): Span => {
    Object.assign(ids, { trace: trace.traceId, span: trace.spanId });
    const attributes = attributesOf(request);
    return tracer.startSpan(request.method, { kind: api.SpanKind.SERVER, attributes }, parentOf(trace));
  };
  const parentOf = ({ traceId, parentId, sampled }: Trace) => {
    if (parentId === null) return api.ROOT_CONTEXT;
    const traceFlags = sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId: parentId, traceFlags, isRemote: true });
  };
  const spans = new WeakMap<FastifyRequest, Span>();
  return {
    observer: {
      started: (request, _reply, trace) => void spans.set(request, start(request, trace)),
      finished: (done) => {
        const span = spans.get(done.request);
        if (!span) return;
        describe(span, done);
        if (done.status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end();
      },
    },
    async close() {
      recordTraces(false);
      await Promise.race([provider.shutdown().catch(() => {}), sleep(LAST_SPANS, undefined, { ref: false })]);
    },
  };
}

/** HTTP semantic conventions, without the query and with the address as coarse as in the logs. */
function attributesOf(request: FastifyRequest) {
  const [host, port] = request.host.split(/:(?=\d+$)/);
  return {
    "http.request.method": request.method,
    "url.scheme": request.protocol,
    "url.path": request.url.split("?", 1)[0],
    "server.address": host,
    ...(port && { "server.port": Number(port) }),
    "client.address": networkOf(request.ip),
    "network.protocol.version": request.raw.httpVersion,
    "user_agent.original": request.headers["user-agent"],
  };
}

function describe(span: Span, { route, method, status, operation, request }: Finished): void {
  span.updateName(route === "none" ? method : `${method} ${route}`);
  if (route !== "none") span.setAttribute("http.route", route);
  span.setAttributes({
    "http.response.status_code": status,
    "alai.operation": operation,
    "alai.request_id": request.id,
  });
  if (status >= 500) span.setAttribute("error.type", String(status));
}
