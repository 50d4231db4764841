/** What a load process is asked to send, and what it saw. */
export interface Plan {
  readonly port: number;
  /** Connections; each waits for its answer before it sends again. */
  readonly clients: number;
  /** Sent in turn. `{n}` rises with every request, `{task}` goes round among `tasks`, `{client}` is the connection's own. */
  readonly requests: readonly Template[];
  readonly tasks?: number;
  /** The first `{n}`. */
  readonly first: number;
  /** How many requests in all. */
  readonly count: number;
  /** Requests a second, on schedule whatever the answers do; absent: as fast as they are answered. */
  readonly rate?: number;
  /** Every other status ends the run. */
  readonly expect: readonly number[];
}

export interface Template {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface Seen {
  readonly perSecond: number;
  readonly seconds: number;
  readonly answered: number;
  /** Milliseconds from when a request was due to its whole answer. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Share of a core that the load process itself took. */
  readonly cpu: number;
}

/** @param sorted ascending. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The bytes of one request: the headers that the CLI's own client sends, and no more. */
export function requestText({ method, path, body }: Template, n: number, client: number, tasks: number): string {
  const fill = (text: string) =>
    text
      .replace("{n}", String(n))
      .replace("{task}", String(1 + (n % tasks)))
      .replace("{client}", String(client));
  const content = body === undefined ? "" : fill(body);
  const type = body === undefined ? "" : `content-type: application/json\r\ncontent-length: ${content.length}\r\n`;
  return `${method} ${fill(path)} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\nalai-actor: bench\r\nalai-session: s${client}\r\n${type}\r\n${content}`;
}
