import { statSync } from "node:fs";
import type { Millis } from "@alai/core";

/** Ten minutes of a change a second. Of more, the oldest counts, and those after it are thinned. */
const KEPT = 600;

/**
 * When something was written to one database of the primary, as its files show it: known without Litestream, so that one that stands
 * still shows at once. What was written and not committed counts too, until Litestream has looked: it is never less than there is.
 */
export class Changes {
  #at: Millis[];
  #stamp: string | null = null;

  /** @param since of the oldest that was not in storage before the agent was started; null: there was none. */
  constructor(since: Millis | null) {
    this.#at = since === null ? [] : [since];
  }

  /** Looks at the file and its log. The first time nobody knows what was written meanwhile: it counts as one of now. */
  look(file: string, now: Millis): void {
    const stamp = stampOf(`${file}-wal`) ?? stampOf(file) ?? "";
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#at.push(now);
    if (this.#at.length > KEPT) this.#at.splice(1, 1);
  }

  /** Everything until then is in storage. */
  covered(until: Millis): void {
    this.#at = this.#at.filter((at) => at > until);
  }

  /** The oldest after a moment; null: there is none. @param until null: all count. */
  oldest(until: Millis | null = null): Millis | null {
    const after = this.#at.filter((at) => until === null || at > until);
    return after.length === 0 ? null : Math.min(...after);
  }
}

function stampOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.mtimeMs}:${stat.size}` : null;
}
