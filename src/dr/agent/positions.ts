import type { Millis } from "@alai/core";
import type { Beat } from "../report.ts";
import type { Claim } from "./socket.ts";

interface Mark {
  readonly txid: number;
  /** The newest moment at which a look at the WAL began and found nothing after this position. */
  time: Millis;
}

/** Ten minutes of a change a second. Older ones are in storage, or their loss is long since an alarm. */
const KEPT = 600;
/** A look that began this much after a commit must have seen it. */
const MARGIN: Millis = 100;

/**
 * For one database of the primary: which local position of Litestream covers which moment. So the newest position in a listing
 * becomes a moment until which everything is in storage. Litestream is not taken at its word: a heartbeat that was committed must
 * move its position, else it looks at another file than the services write (it does so without a word when the file was replaced).
 */
export class Positions {
  #marks: Mark[] = [];
  #beat: Beat | null = null;
  #txidAtBeat = 0;

  /** The newest position. */
  get txid(): number | null {
    return this.#marks.at(-1)?.txid ?? null;
  }

  /** Until when everything committed is at or below the newest position. */
  get time(): Millis | null {
    return this.#marks.at(-1)?.time ?? null;
  }

  /** A heartbeat was committed. */
  beaten(beat: Beat): void {
    this.#beat = beat;
    this.#txidAtBeat = this.txid ?? 0;
  }

  /** @returns false when Litestream looked after a heartbeat was committed and did not see it. */
  observe({ txid, syncedAt }: Claim): boolean {
    if (syncedAt === null) return true;
    if (this.#isBlind(txid, syncedAt)) return false;
    const last = this.#marks.at(-1);
    // Another file, or another lineage: what was known of positions says nothing any more.
    if (last && txid < last.txid) this.#marks = [];
    if (last?.txid === txid) last.time = Math.max(last.time, syncedAt);
    else this.#marks.push({ txid, time: syncedAt });
    if (this.#marks.length > KEPT) this.#marks.shift();
    return true;
  }

  /** Until when everything is in storage that has come to position `listed`; null: unknown. */
  coveredBy(listed: number): Millis | null {
    return this.#marks.findLast(({ txid }) => txid <= listed)?.time ?? null;
  }

  /** Forgets everything: Litestream was started anew, or the file is another. */
  reset(): void {
    this.#marks = [];
    this.#beat = null;
  }

  #isBlind(txid: number, syncedAt: Millis): boolean {
    const beat = this.#beat;
    return beat !== null && this.#txidAtBeat > 0 && syncedAt > beat.at + MARGIN && txid === this.#txidAtBeat;
  }
}
