import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { WatchSpec } from "../dr/manifest/model.ts";
import type { Env } from "../kit/env.ts";
import { Http, NoAnswer } from "../kit/http.ts";

/** Early rather than late: the other side counts from the last ping. */
const SLACK: Millis = 500;

/**
 * A ping to a service that tells somebody when it stays away. Made by the loop itself after a round that came to its end, so that
 * a watcher that hangs makes none.
 */
export class DeadMan {
  readonly #spec: NonNullable<WatchSpec["deadMan"]>;
  readonly #http: Http;
  readonly #say: (sentence: string) => void;
  #last = Number.NEGATIVE_INFINITY;
  #under: Promise<void> | null = null;
  #trouble: string | null = null;

  constructor(spec: NonNullable<WatchSpec["deadMan"]>, env: Env, say: (sentence: string) => void) {
    this.#spec = spec;
    this.#say = say;
    this.#http = new Http({ timeout: 10_000, refused: 0, env, longest: 65_536 });
  }

  /** Pings when it is time to; never waited for by the loop. */
  alive(): void {
    const now = monotonic();
    if (this.#under || now - this.#last < this.#spec.interval - SLACK) return;
    this.#last = now;
    this.#under = this.#ping().finally(() => {
      this.#under = null;
    });
  }

  /** Waits for the ping that is under way. */
  async settle(): Promise<void> {
    await this.#under;
  }

  close(): void {
    this.#http.close();
  }

  async #ping(): Promise<void> {
    const trouble = await this.#ask();
    if (trouble !== null && trouble !== this.#trouble) this.#say(`dead-man's ping: ${trouble}`);
    if (trouble === null && this.#trouble !== null) this.#say("dead-man's ping: taken again");
    this.#trouble = trouble;
  }

  /** The address is a secret to those who read logs: only its host is said. */
  async #ask(): Promise<string | null> {
    const url = new URL(this.#spec.url);
    try {
      const headers = { "accept-encoding": "identity" };
      const { status } = await this.#http.ask({ method: "GET", url, headers, repeatable: true });
      return status >= 200 && status < 300 ? null : `${url.host} answers ${status}`;
    } catch (error) {
      return `${url.host}: ${error instanceof NoAnswer && error.kind === "timeout" ? "no answer in time" : (error as Error).message}`;
    }
  }
}
