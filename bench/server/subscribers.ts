import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "./plan.ts";

/**
 * Readers of the event stream, a process of its own: `node subscribers.ts <port> <clients> <events> <after>`. Says `ready` on standard
 * error when all of them are connected, counts until each has had every event once and in order, and prints milliseconds from the
 * store's time of the event, which it reads just before the commit, to the bytes' arrival.
 */

export interface Heard {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly deliveries: number;
}

const [, , port = "0", clients = "1", events = "1", after = "0"] = process.argv;
const LONGEST_MS = 120_000;
const took = new Float64Array(Number(clients) * Number(events));
const finished = Promise.withResolvers<void>();
let deliveries = 0;

/** One connection. Resolves when the stream's first bytes are there. */
function subscribe(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1");
    const reader = new Reader(resolve);
    socket.setNoDelay(true);
    socket.write(`GET /events/stream?after=${after} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`);
    socket.on("data", (bytes) => reader.read(bytes.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => {
      if (deliveries < took.length) fail(`a stream ended after ${deliveries} of ${took.length} deliveries`);
    });
  });
}

class Reader {
  #rest = "";
  #last = Number(after);
  #opened: (() => void) | null;

  constructor(opened: () => void) {
    this.#opened = opened;
  }

  read(text: string): void {
    const now = performance.timeOrigin + performance.now();
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) this.#event(part, now);
    // The stream's first words.
    if (!this.#opened || !text.includes("retry:")) return;
    this.#opened();
    this.#opened = null;
  }

  #event(part: string, now: number): void {
    const found = /id: (\d+)\ndata: .*?"at":(\d+)/.exec(part);
    if (!found) return;
    const seq = Number(found[1]);
    if (seq !== this.#last + 1) fail(`event ${seq} came after ${this.#last}`);
    this.#last = seq;
    took[deliveries++] = now - Number(found[2]);
    if (deliveries === took.length) finished.resolve();
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

await Promise.all(Array.from({ length: Number(clients) }, subscribe));
// The server answers before its feed has found the journal's end.
await sleep(500);
process.stderr.write("ready\n");
setTimeout(() => fail(`${deliveries} of ${took.length} deliveries in ${LONGEST_MS / 1000} s`), LONGEST_MS).unref();
await finished.promise;
took.sort();
const heard: Heard = {
  p50: percentile(took, 0.5),
  p95: percentile(took, 0.95),
  p99: percentile(took, 0.99),
  max: took[took.length - 1] ?? Number.NaN,
  deliveries,
};
process.stdout.write(`${JSON.stringify(heard)}\n`, () => process.exit(0));
