import { type Millis, REQUEST_MEMORY } from "@alai/core";
import type { Database } from "./database.ts";
import { SQL } from "./sql.ts";

const EVERY: Millis = 5 * 60_000;

/** Drops kept answers that are too old to count. They would not be given out anyhow: this is for the disk. */
export class Maintenance {
  readonly #database: Database;
  readonly #timer: NodeJS.Timeout;

  constructor(database: Database) {
    this.#database = database;
    this.#timer = setInterval(() => void this.#dropRequests(), EVERY);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #dropRequests(): Promise<void> {
    // An outage is told by whoever asks for something; this comes again.
    await this.#database.call(SQL.dropRequests, [REQUEST_MEMORY], { repeatable: true }).catch(() => {});
  }
}
