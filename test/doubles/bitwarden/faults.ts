import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "./http.ts";

/** Requests that go wrong: these, with this status, so many times. */
export interface Failure {
  /** Matched against the path; a text must be in it. */
  readonly path: RegExp | string;
  readonly status: 429 | 500 | 502 | 503;
  readonly times?: number;
  readonly method?: string;
  /** Lets so many of them through first. */
  readonly after?: number;
}

/** What a test makes go wrong. */
export class Faults {
  readonly #failures: { failure: Failure; skip: number; left: number }[] = [];
  #thawed: PromiseWithResolvers<void> | null = null;
  /** Milliseconds every answer takes longer. */
  delay = 0;

  fail(failure: Failure): void {
    this.#failures.push({ failure, skip: failure.after ?? 0, left: failure.times ?? 1 });
  }

  /** From now on nothing is answered: a server that accepts and hangs. */
  freeze(): void {
    this.#thawed ??= Promise.withResolvers();
  }

  thaw(): void {
    this.#thawed?.resolve();
    this.#thawed = null;
  }

  clear(): void {
    this.#failures.length = 0;
    this.delay = 0;
    this.thaw();
  }

  /** Holds a request back, or throws what is to be answered in its place. */
  async meet(method: string, path: string): Promise<void> {
    if (this.delay) await sleep(this.delay);
    await this.#thawed?.promise;
    const found = this.#failures.find(({ failure, left }) => left > 0 && concerns(failure, method, path));
    if (!found) return;
    if (found.skip > 0) {
      found.skip--;
      return;
    }
    found.left--;
    throw trouble(found.failure.status);
  }
}

function concerns(failure: Failure, method: string, path: string): boolean {
  if (failure.method && failure.method !== method) return false;
  return typeof failure.path === "string" ? path.includes(failure.path) : failure.path.test(path);
}

function trouble(status: number): Refusal {
  if (status !== 429)
    return new Refusal(status, { message: "An unhandled server error has occurred.", object: "error" });
  const message = "Slow down! Too many requests. Try again in 1s.";
  return new Refusal(429, { message, object: "error" }, { "retry-after": "1" });
}
