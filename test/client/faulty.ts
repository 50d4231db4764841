import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A server below HTTP: what it does with each request is written out, bytes and all. */

export interface Raw {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Behaviour = (request: Raw, socket: Socket) => unknown;

/** Does the first thing with the first request, the second with the second, and goes on with the last. */
export class Faulty {
  readonly seen: Raw[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #behaviours: readonly Behaviour[];

  private constructor(behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
    this.#server = createServer((socket) => this.#listen(socket));
  }

  static async start(...behaviours: Behaviour[]): Promise<Faulty> {
    return Faulty.startAt(0, ...behaviours);
  }

  static async startAt(port: number, ...behaviours: Behaviour[]): Promise<Faulty> {
    const faulty = new Faulty(behaviours);
    await new Promise<void>((resolve) => faulty.#server.listen(port, "127.0.0.1", resolve));
    return faulty;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #listen(socket: Socket): void {
    this.#sockets.add(socket);
    let got = Buffer.alloc(0);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      got = Buffer.concat([got, piece]);
      const request = readRequest(got);
      if (!request) return;
      got = Buffer.alloc(0);
      this.seen.push(request);
      const behaviour = this.#behaviours[Math.min(this.seen.length, this.#behaviours.length) - 1];
      behaviour?.(request, socket);
    });
  }
}

/** A whole request; null while some of it is still to come. */
function readRequest(bytes: Buffer): Raw | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [line = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
  );
  const body = bytes.subarray(end + 4);
  if (body.length < Number(headers["content-length"] ?? 0)) return null;
  const [method = "", path = ""] = line.split(" ");
  return { method, path, headers, body: body.toString("utf8") };
}

/** Never answers. */
export const hang: Behaviour = () => {};

/** Hangs up. */
export const drop: Behaviour = (_request, socket) => socket.destroy();

export function bytes(text: string | Buffer): Behaviour {
  return (_request, socket) => socket.end(text);
}

export function answer(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): Behaviour {
  const payload = Buffer.from(body);
  const lines = Object.entries({ ...headers, "content-length": String(payload.length) });
  const head = [`HTTP/1.1 ${status} Any`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  return (_request, socket) => socket.write(Buffer.concat([Buffer.from(head), payload]));
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return answer(status, { "content-type": "application/json", ...headers }, JSON.stringify(value));
}

export function problemAnswer(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Behaviour {
  const body = {
    type: `urn:alai:problem:${code}`,
    title: "A title",
    status,
    detail: `Detail of ${code}.`,
    code,
    ...more,
  };
  return answer(status, { "content-type": "application/problem+json", ...headers }, JSON.stringify(body));
}

/** Hands the request on to a real server and its answer back. @param change of the request on its way. */
export function forward(url: string, change: (request: Raw) => Raw = (request) => request): Behaviour {
  return async (request, socket) => {
    const reply = await send(url, change(request));
    answer(reply.status, reply.headers, reply.body)(request, socket);
  };
}

/** Hands the request on, waits until the server has answered, and hangs up instead of handing that back. */
export function forwardAndDrop(url: string, change: (request: Raw) => Raw = (request) => request): Behaviour {
  return async (request, socket) => {
    await send(url, change(request));
    socket.destroy();
  };
}

async function send(url: string, { method, path, headers, body }: Raw) {
  const { connection: _, "content-length": __, host: ___, "transfer-encoding": ____, ...kept } = headers;
  const reply = await fetch(url + path, { method, headers: kept, ...(body !== "" && { body }) });
  const type = reply.headers.get("content-type") ?? "text/plain";
  const replayed = reply.headers.get("idempotent-replayed");
  return {
    status: reply.status,
    headers: { "content-type": type, ...(replayed && { "idempotent-replayed": replayed }) },
    body: Buffer.from(await reply.arrayBuffer()),
  };
}

/** An empty list, as `GET /tasks` answers it. */
export const NO_TASKS = { tasks: [], cut: false, next: null };
