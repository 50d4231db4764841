import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

/** Readers of the journal that follow the protocol: each remembers the last number it saw and goes on from there. */
export interface Reader {
  readonly name: string;
  /** Every number it was given, in the order in which it came. */
  readonly seen: number[];
  /** Reads until the number `to` was seen, or `ms` passed. */
  finish(to: number, ms: number): Promise<void>;
}

export type ReadOnce = (url: string, after: number, signal: AbortSignal, take: (seq: number) => void) => Promise<void>;

/** A reader that asks one server after the other, each time after what it has. */
export function startReader(name: string, urls: readonly string[], read: ReadOnce): Reader {
  const seen: number[] = [];
  const stop = new AbortController();
  const run = async () => {
    for (let turn = 0; !stop.signal.aborted; turn++) {
      try {
        const url = urls[turn % urls.length] ?? "";
        await read(url, seen.at(-1) ?? 0, stop.signal, (seq) => seen.push(seq));
      } catch {
        // A server that is down, a connection that broke: ask again.
        await sleep(50);
      }
    }
  };
  const running = run();
  return {
    name,
    seen,
    async finish(to, ms) {
      const end = Date.now() + ms;
      while ((seen.at(-1) ?? 0) < to && Date.now() < end) await sleep(50);
      stop.abort();
      await running;
    },
  };
}

/** `GET /events?after=&wait=`. */
export const longPoll: ReadOnce = async (url, after, signal, take) => {
  const answer = await fetch(`${url}/events?after=${after}&wait=2000&limit=200`, { signal });
  const { events } = (await answer.json()) as { events: { seq: number }[] };
  for (const { seq } of events) take(seq);
};

/** `GET /events/stream` with `Last-Event-ID`. What is not closed by an empty line has not arrived. */
export const sse: ReadOnce = async (url, after, signal, take) => {
  const answer = await fetch(`${url}/events/stream`, { signal, headers: { "last-event-id": String(after) } });
  if (!answer.ok || !answer.body) throw new Error(`answer ${answer.status}`);
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const id = /^id: ?(\d+)$/m.exec(block)?.[1];
      if (id !== undefined && /^data: ?\{/m.test(block)) take(Number(id));
    }
  }
};

/** `GET /events/ws` with `Last-Event-ID`, until either side closes. A message that is none of an event carries no number. */
export const webSocket: ReadOnce = async (url, after, signal, take) => {
  signal.throwIfAborted();
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/events/ws`, {
    headers: { "last-event-id": String(after) },
  });
  const cut = () => socket.terminate();
  signal.addEventListener("abort", cut);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("message", (data) => {
        const message = JSON.parse(String(data)) as { type: string; event?: { seq: number } };
        if (!signal.aborted && message.type === "event" && message.event) take(message.event.seq);
      });
      socket.on("error", reject);
      socket.on("close", () => resolve());
    });
  } finally {
    signal.removeEventListener("abort", cut);
  }
};

/** What is wrong with the numbers that a reader was given: each up to `last` should be there once, in order. */
export function amiss(seen: readonly number[], last: number): string[] {
  const wrong = seen.flatMap((seq, i) => {
    const due = (seen[i - 1] ?? 0) + 1;
    return seq === due ? [] : [`${seq} where ${due} was due`];
  });
  const end = seen.at(-1) ?? 0;
  return end === last ? wrong : [...wrong, `it ended at ${end} of ${last}`];
}
