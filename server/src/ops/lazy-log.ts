import type { FastifyBaseLogger } from "fastify";

/**
 * A request's logger that is made when the first line is written: most requests write none. Plain methods: Fastify looks at
 * each of them for every request, and a getter would make the logger then.
 */
export class LazyLog implements FastifyBaseLogger {
  readonly #make: () => FastifyBaseLogger;
  #made: FastifyBaseLogger | undefined;

  constructor(make: () => FastifyBaseLogger) {
    this.#make = make;
  }

  get #log(): FastifyBaseLogger {
    this.#made ??= this.#make();
    return this.#made;
  }

  get level() {
    return this.#log.level;
  }
  fatal(...line: unknown[]): void {
    this.#write("fatal", line);
  }
  error(...line: unknown[]): void {
    this.#write("error", line);
  }
  warn(...line: unknown[]): void {
    this.#write("warn", line);
  }
  info(...line: unknown[]): void {
    this.#write("info", line);
  }
  debug(...line: unknown[]): void {
    this.#write("debug", line);
  }
  trace(...line: unknown[]): void {
    this.#write("trace", line);
  }
  silent(...line: unknown[]): void {
    this.#write("silent", line);
  }

  child(...args: Parameters<FastifyBaseLogger["child"]>): FastifyBaseLogger {
    return this.#log.child(...args);
  }

  #write(level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent", line: unknown[]): void {
    const log = this.#log;
    (log[level] as (...line: unknown[]) => void).apply(log, line);
  }
}
