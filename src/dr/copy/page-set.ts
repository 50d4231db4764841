/** Which pages of a database were written: a bit each. */
export class PageSet {
  #bits = new Uint8Array(64);

  add(page: number): void {
    const at = page >> 3;
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[at] = (this.#bits[at] as number) | (1 << (page & 7));
  }

  has(page: number): boolean {
    return ((this.#bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  /** The first page from `from` to `to` that is not in here, `except` aside; null: all are. */
  firstMissing(from: number, to: number, except: number): number | null {
    for (let page = from; page <= to; page += 1) if (!this.has(page) && page !== except) return page;
    return null;
  }
}
