import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export type Kind = "list" | "read" | "write" | "remove";

/** One request that came to the gate. */
export interface Passage {
  readonly kind: Kind;
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** What was sent, as text, of a POST; empty of everything else. */
  readonly body: string;
}

/** How the gate treats a request. Absent fields: as the server behind it does. */
export interface Behaviour {
  /** Answers itself, with this status; the server behind is not asked. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds before it is passed on. */
  readonly delay?: number;
  /** Ends the connection after this many bytes of the answer's body; 0: before its headers. */
  readonly cutAfter?: number;
  /** Sends the answer's body in pieces of so many bytes, `every` ms one. */
  readonly trickle?: { readonly bytes: number; readonly every: number };
  /** Never answers. */
  readonly silent?: boolean;
  /** Passes on, and then ends the connection in place of the answer: the work is done, and nobody says so. */
  readonly swallow?: boolean;
}

/**
 * An HTTP server in front of another one, in the test's own process: counts what passes and misbehaves on request. Hosts and
 * headers are passed on as they are, so that signatures hold.
 */
export class Gate implements AsyncDisposable {
  readonly passed: Passage[] = [];
  /** How the next requests are treated; null: all are passed on. */
  behave: ((passage: Passage) => Behaviour | null) | null = null;
  readonly #server: Server;
  #to = 0;

  private constructor() {
    this.#server = createServer(
      (incoming, outgoing) => void this.#pass(incoming, outgoing).catch(() => outgoing.destroy()),
    );
  }

  static async start(): Promise<Gate> {
    const gate = new Gate();
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param port of this machine; 0: every connection is cut. */
  leadTo(port: number): void {
    this.#to = port;
  }

  /** How many of a kind came since `passed` was emptied. */
  count(kind: Kind): number {
    return this.passed.filter((passage) => passage.kind === kind).length;
  }

  /** Back to good behaviour, counts at 0. */
  reset(): void {
    this.behave = null;
    this.passed.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = incoming;
    const passage = {
      kind: kindOf(method, path),
      method,
      path,
      headers: incoming.headers,
      body: await posted(incoming),
    };
    this.passed.push(passage);
    const behaviour = this.behave?.(passage) ?? {};
    if (behaviour.silent) return;
    if (behaviour.delay) await sleep(behaviour.delay);
    if (behaviour.status !== undefined)
      return void outgoing.writeHead(behaviour.status, behaviour.headers).end(behaviour.body);
    if (behaviour.cutAfter === 0) return void outgoing.destroy();
    if (this.#to === 0) return void outgoing.destroy();
    const answer = await this.#forward(incoming);
    if (behaviour.swallow) return void answer.resume().on("end", () => outgoing.destroy());
    outgoing.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
    await deliver(answer, outgoing, behaviour);
  }

  #forward(incoming: IncomingMessage): Promise<IncomingMessage> {
    const { method, url: path, rawHeaders: headers } = incoming;
    return new Promise((resolve, reject) => {
      const made: ClientRequest = request({ host: "127.0.0.1", port: this.#to, method, path, headers }, resolve);
      made.on("error", reject);
      incoming.pipe(made);
    });
  }
}

async function deliver(
  answer: AsyncIterable<Buffer>,
  outgoing: ServerResponse,
  { cutAfter = Number.POSITIVE_INFINITY, trickle }: Behaviour,
): Promise<void> {
  let left = cutAfter;
  for await (const piece of answer) {
    if (trickle) await drip(piece, outgoing, trickle);
    else outgoing.write(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) return void setImmediate(() => outgoing.destroy());
  }
  outgoing.end();
}

async function drip(
  piece: Buffer,
  outgoing: ServerResponse,
  { bytes, every }: { bytes: number; every: number },
): Promise<void> {
  for (let at = 0; at < piece.length && !outgoing.destroyed; at += bytes) {
    outgoing.write(piece.subarray(at, at + bytes));
    await sleep(every);
  }
}

/** Only small forms are posted in these tests; they are not passed on. */
async function posted(incoming: IncomingMessage): Promise<string> {
  return incoming.method === "POST" ? text(incoming) : "";
}

function kindOf(method: string, path: string): Kind {
  if (method === "PUT" || method === "POST") return "write";
  if (method === "DELETE") return "remove";
  return /[?&](comp=list|list-type=2)/.test(path) ? "list" : "read";
}
