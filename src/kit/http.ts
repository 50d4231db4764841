import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Env } from "./env.ts";
import { backoff, isPassing, retryAfter } from "./http/backoff.ts";
import { type Arriving, type Exchange, runtimeExchange, type Sent } from "./http/exchange.ts";
import { failureOf, NoAnswer } from "./http/failure.ts";
import { Limit } from "./http/limit.ts";

export type { Arriving } from "./http/exchange.ts";
export { NoAnswer } from "./http/failure.ts";

/** A request, and how it may be treated. */
export interface Request extends Sent {
  /** Sending it again does no harm; one that may not be repeated is sent once. */
  readonly repeatable: boolean;
  /** How much longer than usual the answer may take: a request that waits for news. Nobody is told that it is slow. */
  readonly waits?: Millis | undefined;
  /** True when the same request may get another answer in a moment; absent: as the status says. */
  readonly passing?: ((answer: Answer) => boolean) | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** An earlier try, or this one, may have been carried out although no answer says so. */
  readonly maybeDone: boolean;
}

/** How long is long. */
export interface Patience {
  /** For one request with all its tries. */
  readonly timeout: Millis;
  /** For a server that is not there at all: shorter, because a mistyped address looks the same. */
  readonly refused: Millis;
}

/** What is done while an answer is late. */
export interface Slow {
  readonly after: Millis;
  /** @param giveUp ends the request. @returns ends what was begun. */
  begin(giveUp: () => void): () => void;
}

export interface HttpOptions extends Patience {
  readonly env: Env;
  readonly slow?: Slow | undefined;
  /** Bytes of the longest answer that is read. */
  readonly longest?: number | undefined;
  /** Another way than the runtime's own, for tests. */
  readonly exchange?: Exchange | undefined;
}

const LONGEST = 256 * 2 ** 20;

/**
 * The HTTP client of every command: one deadline over all tries of a request, and only what may be repeated is. Every
 * answer is handed back, errors too; where there is none, `NoAnswer` is thrown.
 */
export class Http {
  readonly #options: HttpOptions;
  readonly #exchange: Exchange;
  readonly #running: Set<Limit>;

  constructor(options: HttpOptions, running = new Set<Limit>()) {
    this.#options = options;
    this.#exchange = options.exchange ?? runtimeExchange(options.env);
    this.#running = running;
  }

  /** The same client with other patience; nobody is told when it is slow. */
  within(patience: Patience): Http {
    return new Http({ ...this.#options, ...patience, slow: undefined, exchange: this.#exchange }, this.#running);
  }

  async ask(request: Request): Promise<Answer> {
    const limit = this.#begin(request.waits ?? 0);
    const endTelling = request.waits === undefined ? this.#tellWhenSlow(limit) : () => {};
    try {
      return await this.#tryUntilAnswered(request, limit);
    } finally {
      endTelling();
      this.#end(limit);
    }
  }

  /** For a long answer that is read piece by piece: the deadline is for each piece. Sent once. */
  async open(request: Sent): Promise<Arriving> {
    const limit = this.#begin(0);
    try {
      const arriving = await this.#exchange.send(request, limit.signal);
      return { ...arriving, body: this.#pieces(arriving.body, limit) };
    } catch (error) {
      this.#end(limit);
      throw limit.why ?? failureOf(error);
    }
  }

  /** Gives up what is under way. */
  close(): void {
    for (const limit of this.#running) limit.end("interrupted");
    this.#exchange.close();
  }

  #begin(more: Millis): Limit {
    const limit = new Limit(this.#options.timeout + more);
    this.#running.add(limit);
    return limit;
  }

  #end(limit: Limit): void {
    limit.stop();
    this.#running.delete(limit);
  }

  #tellWhenSlow(limit: Limit): () => void {
    const { slow } = this.#options;
    if (!slow) return () => {};
    let end = () => {};
    const timer = setTimeout(() => {
      end = slow.begin(() => limit.end("interrupted"));
    }, slow.after);
    return () => {
      clearTimeout(timer);
      end();
    };
  }

  async #tryUntilAnswered(request: Request, limit: Limit): Promise<Answer> {
    const start = monotonic();
    let maybeDone = false;
    let before: Answer | NoAnswer | undefined;
    for (let tries = 1; ; tries++) {
      const got = await this.#try(request, limit);
      maybeDone ||= got.maybeDone;
      // What was answered or refused before says more than that the time is over.
      const told = got instanceof NoAnswer && got.kind === "timeout" && before ? before : got;
      if (!(got instanceof NoAnswer) || got.kind === "refused") before = got;
      const pause = request.repeatable ? this.#pauseAfter(got, request, tries, monotonic() - start) : null;
      if (pause !== null && pause < limit.left) {
        await limit.sleep(pause);
        continue;
      }
      if (!(told instanceof NoAnswer)) return { ...told, maybeDone };
      throw new NoAnswer(told.kind, told.message, { maybeDone, cause: told.cause });
    }
  }

  async #try(request: Request, limit: Limit): Promise<Answer | NoAnswer> {
    try {
      if (limit.why) return limit.why;
      const { status, headers, body } = await this.#exchange.send(request, limit.signal);
      // A gateway's own answer, or a failure half-way: the work may be done. 503 is said before it is begun.
      const maybeDone = status >= 500 && status !== 503;
      const answer = { status, headers, body: await whole(body, this.#options.longest), maybeDone };
      // A body that ends with its connection looks whole when it is us who end that.
      return limit.why ?? answer;
    } catch (error) {
      return limit.why ?? failureOf(error);
    }
  }

  /** How long to wait before the same request is sent again; null when that is of no use. */
  #pauseAfter(got: Answer | NoAnswer, request: Request, tries: number, spent: Millis): Millis | null {
    if (got instanceof NoAnswer) {
      if (got.kind === "broken") return backoff(tries);
      const left = this.#options.refused - spent;
      // The last try is at the end of that patience, not up to a pause after it.
      return got.kind === "refused" && left > 0 ? Math.min(backoff(tries), left) : null;
    }
    if (!(request.passing?.(got) ?? isPassing(got.status))) return null;
    return Math.max(backoff(tries), retryAfter(got.headers["retry-after"], Date.now()));
  }

  async *#pieces(body: AsyncIterable<Uint8Array>, limit: Limit): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        limit.stop();
        yield piece;
        limit.restart();
      }
      if (limit.why) throw limit.why;
    } catch (error) {
      throw limit.why ?? failureOf(error);
    } finally {
      this.#end(limit);
    }
  }
}

/** All of a body. Throws NoAnswer when it is longer than `longest` bytes. */
export async function whole(body: AsyncIterable<Uint8Array>, longest = LONGEST): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > longest) throw new NoAnswer("too_large", `more than ${longest} bytes`, { maybeDone: true });
    pieces.push(piece);
  }
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
}
