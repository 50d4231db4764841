import type { ChildLoggerOptions, DestinationStream, Level, Logger } from "pino";
import { destination, pino, stdSerializers } from "pino";
import { redactLine } from "./redact.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly version: string;
  readonly level?: LogLevel | undefined;
  /** A file descriptor, or something that takes lines (tests). Default: standard output. */
  readonly to?: number | DestinationStream | undefined;
}

/** The logs of a process. */
export interface Logs {
  /** For what concerns no request. */
  readonly logger: Logger;
  /** Without the ids of a request, for who gives them with the line. */
  readonly plain: Logger;
  /** For one request: every line carries its ids. */
  forRequest(ids: { readonly trace_id: string; readonly request_id: string }, options?: ChildLoggerOptions): Logger;
  /** One line of a request that is over, put together by hand: a tenth of what pino and a search of the whole line cost. */
  request(level: LogLevel, line: RequestLine): void;
  /** Writes what a full pipe did not take yet. Done by itself when the process ends. */
  flush(): void;
}

/** What a line of a request tells, in its order. */
export interface RequestLine {
  readonly trace_id: string;
  readonly request_id: string;
  readonly duration_ms: number;
  readonly method: string;
  readonly route: string;
  readonly operation: string;
  readonly status: number;
  readonly subject: string | null;
  readonly address: string;
}

/**
 * JSON lines by pino, each with the same eight fields; secrets and personal data are taken out of the finished line.
 * Written synchronously: what is not about a request at once, lines of requests at the end of the turn in which they came up,
 * many in one write (one write a line was a tenth of what a claim costs). Only SIGKILL can take a line, and only of that turn.
 */
export function createLogs({ version, level = "info", to = 1 }: LoggerOptions): Logs {
  const stream = typeof to === "number" ? destination({ dest: to, sync: true }) : undefined;
  const out = gather(stream ?? (to as DestinationStream));
  const flush = () => {
    out.tell();
    stream?.flushSync();
  };
  if (stream) process.once("exit", flush);
  const plain = pino(
    {
      level,
      base: { service: "alai", version },
      messageKey: "message",
      errorKey: "err",
      timestamp: () => `,"timestamp":"${timestamp()}"`,
      formatters: { level: (label: string) => ({ level: label as Level }) },
      serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause },
      // A field that has no value here is null, and not missing: whoever reads the lines need not ask which ones have it.
      mixin: () => ({ duration_ms: null }),
      hooks: { streamWrite: redactLine },
    },
    out,
  );
  const base = `"service":"alai","version":${JSON.stringify(version)}`;
  return {
    request(name, line) {
      out.later(`{"level":"${name}","timestamp":"${timestamp()}",${base},${fieldsOf(line)},"message":"request"}\n`);
    },
    logger: plain.child({ trace_id: null, request_id: null }),
    plain,
    forRequest: (ids, options) => plain.child(ids, options),
    flush,
  };
}

interface Gathering extends DestinationStream {
  /** Writes a line at the end of this turn, with the others of it. */
  later(line: string): void;
  /** Writes what was gathered. */
  tell(): void;
}

/** Lines keep their order: what is written at once comes after what was gathered before it. */
function gather(to: DestinationStream): Gathering {
  let lines = "";
  const tell = () => {
    if (lines === "") return;
    const gathered = lines;
    lines = "";
    to.write(gathered);
  };
  return {
    tell,
    later(line) {
      if (lines === "") setImmediate(tell);
      lines += line;
    },
    write(line) {
      tell();
      to.write(line);
    },
  };
}

let last = { ms: 0, text: "" };

/** Now, as text. Under load many lines are of the same millisecond. */
function timestamp(): string {
  const ms = Date.now();
  if (ms !== last.ms) last = { ms, text: new Date(ms).toISOString() };
  return last.text;
}

/** An id that this server made itself; what a client chose may hold anything. */
const OWN_ID = /^[\da-f]{16}$/;
let subject = { id: null as string | null, text: "null" };

/** Only the subject and a client's request id can hold what must not be in a line; the rest is made here or a pattern of ours. */
function fieldsOf(line: RequestLine): string {
  if (line.subject !== subject.id) subject = { id: line.subject, text: redactLine(JSON.stringify(line.subject)) };
  const id = OWN_ID.test(line.request_id) ? `"${line.request_id}"` : redactLine(JSON.stringify(line.request_id));
  return `"trace_id":"${line.trace_id}","request_id":${id},"duration_ms":${line.duration_ms},"method":"${line.method}","route":${JSON.stringify(line.route)},"operation":${JSON.stringify(line.operation)},"status":${line.status},"subject":${subject.text},"address":"${line.address}"`;
}

/** `--log-level` or ALAI_LOG_LEVEL. Null when it is no level. */
export function readLogLevel(word: string): LogLevel | null {
  return LOG_LEVELS.find((level) => level === word.toLowerCase()) ?? null;
}
