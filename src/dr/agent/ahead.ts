/** What one listing shows may be what was sent a moment ago, and not yet told. */
const LOOKS = 2;

/**
 * Whether storage has more of a replica than this host's Litestream has made: then somebody else writes it. A listing is held against
 * what Litestream says afterwards, so that it has had the time to say what it has sent.
 */
export class Ahead {
  /** Litestream's own position, as it said since the last listing; null: it has not. */
  #own: number | null = null;
  #listed: number | null = null;
  #times = 0;
  #why: string | null = null;

  /** What shows it, a sentence, by two looks and until one shows that it is over; null: nothing. */
  get why(): string | null {
    return this.#why;
  }

  /** Litestream's position after a look that went well. 0: it has none yet. */
  claimed(txid: number): void {
    if (txid > 0) this.#own = txid;
  }

  /** The newest that a listing shows. */
  listed(txid: number): void {
    const [before, own] = [this.#listed, this.#own];
    this.#listed = txid;
    this.#own = null;
    if (before === null || own === null) return;
    this.#times = before > own ? this.#times + 1 : 0;
    if (this.#times === 0) this.#why = null;
    if (this.#times >= LOOKS)
      this.#why = `Somebody else writes its replica: storage lists it up to transaction ${before}, and this host's Litestream has made no more than ${own}.`;
  }

  /** Litestream was started anew: it is to say its position again, and what was found holds until then. */
  restarted(): void {
    this.#own = null;
    this.#listed = null;
    this.#times = 0;
  }
}
