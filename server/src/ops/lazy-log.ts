import type { FastifyBaseLogger } from "fastify";

/** A request's logger that is made when the first line is written: most requests write none. */
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
  get fatal() {
    return this.#bound("fatal");
  }
  get error() {
    return this.#bound("error");
  }
  get warn() {
    return this.#bound("warn");
  }
  get info() {
    return this.#bound("info");
  }
  get debug() {
    return this.#bound("debug");
  }
  get trace() {
    return this.#bound("trace");
  }
  get silent() {
    return this.#bound("silent");
  }

  child(...args: Parameters<FastifyBaseLogger["child"]>): FastifyBaseLogger {
    return this.#log.child(...args);
  }

  #bound<K extends "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent">(name: K): FastifyBaseLogger[K] {
    const log = this.#log;
    return log[name].bind(log) as FastifyBaseLogger[K];
  }
}
