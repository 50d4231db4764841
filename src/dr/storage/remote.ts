import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { backoff, isPassing, retryAfter } from "../../kit/http/backoff.ts";
import type { Arriving, Sent } from "../../kit/http/exchange.ts";
import { type Http, NoAnswer } from "../../kit/http.ts";
import { answered, noAnswer, type Service } from "./remote-trouble.ts";
import { type Operations, StorageError } from "./storage.ts";

/** Of one request: the first and two more. What asks every few seconds anyway gains nothing from more. */
const TRIES = 3;

/** Bytes a second that the slowest line in use has; what comes slower than that on the whole is taken for a fault. */
const SLOWEST = 64 * 1024;

/** How long a service is waited for, and how much it is asked for at once. */
export interface Limits {
  readonly deadline: Millis;
  readonly pageSize: number | undefined;
}

/** One request to the service. */
export interface Asked {
  readonly kind: keyof Operations;
  /** What it is about, for messages; empty for a listing. */
  readonly key: string;
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
  /** Made anew for each try: a signature carries its time. */
  make(): Promise<Sent>;
}

/** Requests to a service, each with its deadline, few tries, and a count. */
export class Remote {
  readonly operations: Operations = { list: 0, read: 0, write: 0, remove: 0 };
  readonly #http: Http;
  readonly #service: Service;
  readonly #deadline: Millis;

  constructor(http: Http, service: Service, deadline: Millis) {
    this.#http = http;
    this.#service = service;
    this.#deadline = deadline;
  }

  get label(): string {
    return this.#service.label;
  }

  /** @param take reads an answer of 2xx; called again when the connection broke within it and the request is repeatable. */
  async ask<T>(asked: Asked, take: (answer: Arriving) => Promise<T>): Promise<T> {
    const end = monotonic() + this.#deadline;
    for (let tries = 1; ; tries++) {
      try {
        return await take(await this.#once(asked, end));
      } catch (error) {
        const pause = asked.repeatable && tries < TRIES ? pauseAfter(error, tries) : null;
        // What is left is also how long the answer may be silent.
        if (pause === null || monotonic() + pause > end - this.#deadline / 2) throw this.#named(error, asked.key);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async *stream(asked: Asked): AsyncGenerator<Uint8Array> {
    const { body } = await this.ask(asked, async (answer) => answer);
    try {
      yield* body;
    } catch (error) {
      throw this.#named(error, asked.key);
    }
  }

  close(): void {
    this.#http.close();
  }

  async #once(asked: Asked, end: Millis): Promise<Arriving> {
    const sent = await asked.make();
    this.operations[asked.kind] += 1;
    const left = Math.max(1, end - monotonic());
    const arriving = await this.#http.within({ timeout: left, refused: 0 }).open(sent);
    if (arriving.status >= 200 && arriving.status < 300) return { ...arriving, body: this.#inTime(arriving) };
    throw new Refused(arriving, await beginning(arriving.body));
  }

  /** The body, whole: neither cut short nor trickling for ever. */
  async *#inTime({ body, headers }: Arriving): AsyncGenerator<Uint8Array> {
    const start = monotonic();
    let length = 0;
    for await (const piece of body) {
      length += piece.length;
      if (monotonic() - start > this.#deadline + (length / SLOWEST) * 1000)
        throw new StorageError("slow", `${this.#service.label} sends less than ${SLOWEST / 1024} KiB a second.`);
      yield piece;
    }
    const promised = Number(headers["content-length"] ?? length);
    // A body that ends with its connection looks whole.
    if (length !== promised && headers["content-encoding"] === undefined)
      throw new NoAnswer("broken", `the answer ended after ${length} of ${promised} bytes`, { maybeDone: true });
  }

  #named(error: unknown, key: string): unknown {
    if (error instanceof Refused) return answered(this.#service, error.answer, error.text, key);
    if (error instanceof NoAnswer) return noAnswer(this.#service, error, this.#deadline);
    return error;
  }
}

/** An answer that is no success. */
class Refused extends Error {
  readonly answer: Arriving;
  readonly text: string;

  constructor(answer: Arriving, text: string) {
    super(`${answer.status}`);
    this.answer = answer;
    this.text = text;
  }
}

/** How long to wait before the same is asked again; null when that is of no use. */
function pauseAfter(error: unknown, tries: number): Millis | null {
  if (error instanceof NoAnswer) return error.kind === "broken" || error.kind === "refused" ? backoff(tries) : null;
  if (!(error instanceof Refused)) return null;
  const { status, headers } = error.answer;
  // 500 is Azure's InternalError and OperationTimedOut, and S3's InternalError: both say to try again.
  if (!isPassing(status) && status !== 500) return null;
  return Math.max(backoff(tries), retryAfter(headers["retry-after"], Date.now()));
}

/** As much of an error's document as says what it is. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length > 16_384) break;
  }
  return Buffer.concat(pieces).toString("utf8");
}
