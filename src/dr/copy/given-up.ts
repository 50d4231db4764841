/** Whether something was given up, and a way out for who waits for it. */
export class GivenUp {
  /** Who waits now: nothing is kept of those who have what they waited for. */
  readonly #waiting = new Set<(reason: Error) => void>();
  #isSo = false;

  get isSo(): boolean {
    return this.#isSo;
  }

  now(): void {
    this.#isSo = true;
    for (const reject of this.#waiting) reject(givenUp());
    this.#waiting.clear();
  }

  mustNotBe(): void {
    if (this.#isSo) throw givenUp();
  }

  /** What `work` gives. Throws as soon as it is given up, and begins nothing then. */
  async orElse<T>(work: () => Promise<T>): Promise<T> {
    this.mustNotBe();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    work().then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(reject);
    }
  }
}

function givenUp(): Error {
  return new Error("This copy was given up.");
}
