import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import type pg from "pg";
import { SQL } from "./sql.ts";

const CHANNEL = "alai";
/** At most one hint in this time: a hint takes a lock of the whole server at its commit, and one says as much as ten. */
const PAUSE: Millis = 20;
const LONGEST_BACKOFF: Millis = 10_000;

/**
 * The one connection of this process that listens for other processes' hints, and gives this one's. A hint is the number of
 * the journal's end and nothing else; one that is lost costs a second (changes.ts), never an event. Hints are not sent with
 * the change itself, so that no writer waits for the lock.
 */
export class Listener {
  readonly #connect: () => Promise<pg.Client>;
  readonly #heard: (seq: number | null) => void;
  #client: pg.Client | null = null;
  #closed = false;
  /** The newest number that was not told yet; undefined when there is none. */
  #untold: number | null | undefined;
  #pausing = false;

  /** @param heard is told the number, or null when hints may have been missed. */
  constructor(connect: () => Promise<pg.Client>, heard: (seq: number | null) => void) {
    this.#connect = connect;
    this.#heard = heard;
  }

  /** Listens until it is closed; connects again whenever the connection is lost. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      try {
        await this.#listen(() => {
          failures = 0;
        });
      } catch {
        // Whatever it was: the ledger's own connections say what is wrong.
      }
      if (this.#closed) return;
      failures += 1;
      const backoff = Math.min(100 * 2 ** failures, LONGEST_BACKOFF);
      await sleep(backoff * (0.5 + Math.random() / 2), undefined, { ref: false });
    }
  }

  /** Tells other processes that the journal has grown. @param seq its end, where it is known. */
  tell(seq: number | null): void {
    this.#untold = seq === null || this.#untold === null ? null : Math.max(seq, this.#untold ?? 0);
    if (!this.#pausing) void this.#send();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => {});
  }

  async #listen(connected: () => void): Promise<void> {
    const client = await this.#connect();
    if (this.#closed) return client.end();
    const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
    client.on("notification", ({ processId, payload }) => {
      // @types/pg does not know the connection's own process id.
      if (processId !== (client as pg.Client & { processID?: number }).processID) this.#heard(Number(payload) || null);
    });
    try {
      // A hint need not survive a crash.
      await client.query(`SET synchronous_commit = off; LISTEN ${CHANNEL}`);
      this.#client = client;
      connected();
      this.#heard(null);
      await ended;
    } finally {
      this.#client = null;
      await client.end().catch(() => {});
    }
  }

  async #send(): Promise<void> {
    this.#pausing = true;
    while (this.#untold !== undefined && this.#client) {
      const seq = this.#untold;
      this.#untold = undefined;
      await this.#client.query({ ...SQL.notify, values: [CHANNEL, String(seq ?? "")] }).catch(() => {});
      await sleep(PAUSE, undefined, { ref: false });
    }
    this.#pausing = false;
  }
}
