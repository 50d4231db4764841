import type { LedgerEvent, Refusal } from "@alai/core";
import { problemOf } from "@alai/core/wire/problem";

/** One event of the journal and its bytes, made once for all who read it. */
export class Frame {
  readonly event: LedgerEvent;
  readonly seq: number;
  readonly task: number | null;
  /** Of the JSON text: what it costs to keep or to send. */
  readonly bytes: number;
  readonly #json: string;
  #sse: Buffer | undefined;
  #ws: Buffer | undefined;

  constructor(event: LedgerEvent) {
    this.event = event;
    this.seq = event.seq;
    this.task = event.task;
    this.#json = JSON.stringify(event);
    this.bytes = Buffer.byteLength(this.#json);
  }

  /** As a server-sent event; `id` is what a client comes back with. JSON has no line break of its own. */
  get sse(): Buffer {
    this.#sse ??= Buffer.from(`id: ${this.seq}\ndata: ${this.#json}\n\n`);
    return this.#sse;
  }

  /** As a text message of the WebSocket. */
  get ws(): Buffer {
    this.#ws ??= Buffer.from(`{"type":"event","event":${this.#json}}`);
    return this.#ws;
  }
}

/** Why a stream ends: events the reader needs are gone, or the server stops and asks it to come back. */
export type End =
  | { readonly type: "gap"; readonly error: Refusal }
  | { readonly type: "bye"; readonly retry_ms: number };

/** The last event of a stream, as a server-sent event of its own kind: `gap` with a problem, or `bye` with `retry_ms`. */
export function endAsSse(end: End): string {
  if (end.type === "gap") return `event: gap\ndata: ${JSON.stringify(problemOf(end.error))}\n\n`;
  return `retry: ${end.retry_ms}\nevent: bye\ndata: {"retry_ms":${end.retry_ms}}\n\n`;
}

/** The last message of a WebSocket. */
export function endAsMessage(end: End): string {
  return JSON.stringify(end.type === "gap" ? { type: "gap", problem: problemOf(end.error) } : end);
}
