import { setImmediate as turn } from "node:timers/promises";

/** A call that waits for its answer. */
export interface Waiting<C, A> {
  readonly call: C;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: calls that arrive while a batch is under way form the next one, so that many callers share one round trip and
 * one commit. Nobody waits for company: the first call goes alone.
 */
export class Batcher<C, A> {
  readonly #select: (queue: Waiting<C, A>[]) => Waiting<C, A>[];
  readonly #run: (batch: readonly Waiting<C, A>[]) => Promise<readonly Waiting<C, A>[]>;
  #queue: Waiting<C, A>[] = [];
  #running = false;

  /**
   * @param select takes the next batch out of the queue: at least one of it.
   * @param run answers the calls of a batch; gives back those that must be in the next one. Must not throw.
   */
  constructor(
    select: (queue: Waiting<C, A>[]) => Waiting<C, A>[],
    run: (batch: readonly Waiting<C, A>[]) => Promise<readonly Waiting<C, A>[]>,
  ) {
    this.#select = select;
    this.#run = run;
  }

  ask(call: C): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ call, resolve, reject });
      if (!this.#running) void this.#loop();
    });
  }

  async #loop(): Promise<void> {
    this.#running = true;
    // What is called in the same turn goes in the first batch too.
    await null;
    while (this.#queue.length > 0) {
      const batch = this.#select(this.#queue);
      const left = await this.#run(batch);
      this.#queue.unshift(...left);
      // Requests that have come meanwhile and were not read yet go with the next batch, unless that is worth sending as it is.
      if (batch.length > 1 && this.#queue.length < batch.length / 2) await turn();
    }
    this.#running = false;
  }
}
