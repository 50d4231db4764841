/** Whether something was given up, and a way out for who waits for it. */
export class GivenUp {
  readonly #end = Promise.withResolvers<never>();
  #isSo = false;

  constructor() {
    // Mostly nobody waits.
    this.#end.promise.catch(() => undefined);
  }

  get isSo(): boolean {
    return this.#isSo;
  }

  now(): void {
    this.#isSo = true;
    this.#end.reject(givenUp());
  }

  mustNotBe(): void {
    if (this.#isSo) throw givenUp();
  }

  /** What `work` gives. Throws as soon as it is given up, and begins nothing then. */
  async orElse<T>(work: () => Promise<T>): Promise<T> {
    this.mustNotBe();
    return Promise.race([work(), this.#end.promise]);
  }
}

function givenUp(): Error {
  return new Error("This copy was given up.");
}
