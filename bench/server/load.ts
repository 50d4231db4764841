import { connect, type Socket } from "node:net";
import { Answers } from "./answers.ts";
import { type Plan, percentile, requestText, type Seen } from "./plan.ts";

/**
 * The load generator, a process of its own: `node load.ts '<plan as JSON>'`. Raw sockets, request bytes made beforehand, one
 * read buffer for all connections; one JSON line with what was seen.
 */

const BUFFER = Buffer.allocUnsafe(256 * 1024);
const plan: Plan = JSON.parse(process.argv[2] ?? "{}");

interface Client {
  readonly socket: Socket;
  readonly number: number;
  /** When the request it waits for was due; 0: it waits for none. */
  due: number;
  at: number;
}

/** A request's text needs its connection's number: connections take every `clients`-th request, so it is known beforehand. */
const texts = Array.from({ length: plan.count }, (_, at) => {
  const template = plan.requests[at % plan.requests.length];
  if (!template) throw new Error("a plan without requests");
  return requestText(template, plan.first + at, at % plan.clients, plan.tasks ?? 1);
});
const took = new Float64Array(plan.count);
let answered = 0;

function send(client: Client, at: number, due: number): void {
  client.at = at;
  client.due = due;
  client.socket.write(texts[at] ?? "", "latin1");
}

function receive(client: Client, status: number, body: Buffer): void {
  if (!plan.expect.includes(status)) fail(`${texts[client.at]} was answered with ${status}: ${body.toString()}`);
  took[answered++] = performance.now() - client.due;
  client.due = 0;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function open(number: number, after: (client: Client) => void): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect({
      port: plan.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: BUFFER,
        callback: (length, bytes) => {
          answers.push(Buffer.from(bytes.buffer, bytes.byteOffset, length));
          return true;
        },
      },
    });
    const client: Client = { socket, number, due: 0, at: 0 };
    const answers = new Answers((status, body) => {
      receive(client, status, body);
      after(client);
    });
    socket.on("error", (error) => fail(`connection ${number}: ${error.message}`));
    socket.on("connect", () => resolve(client));
    socket.on("close", () => {
      if (answered < plan.count) fail(`connection ${number} was closed after ${answered} answers`);
    });
  });
}

/** Every connection sends as soon as it is answered. */
async function flatOut(): Promise<number> {
  const done = Promise.withResolvers<void>();
  const next = (client: Client) => {
    const at = client.at + plan.clients;
    if (at < plan.count) send(client, at, performance.now());
    if (answered === plan.count) done.resolve();
  };
  const clients = await Promise.all(Array.from({ length: plan.clients }, (_, n) => open(n, next)));
  const start = performance.now();
  for (const client of clients) if (client.number < plan.count) send(client, client.number, start);
  await done.promise;
  const end = performance.now();
  for (const { socket } of clients) socket.destroy();
  return end - start;
}

/** Requests are due on schedule; one that must wait for its connection has waited, and that counts. */
async function paced(rate: number): Promise<number> {
  const done = Promise.withResolvers<void>();
  const start = performance.now() + 100;
  const dueOf = (at: number) => start + (at * 1000) / rate;
  const next = (client: Client) => {
    if (answered === plan.count) done.resolve();
    else schedule(client, client.at + plan.clients);
  };
  const schedule = (client: Client, at: number) => {
    if (at >= plan.count) return;
    const due = dueOf(at);
    const wait = due - performance.now();
    if (wait <= 0) send(client, at, due);
    // A timer rounds to the millisecond and may be late: what is measured starts when the bytes leave.
    else setTimeout(() => send(client, at, performance.now()), wait);
  };
  const clients = await Promise.all(Array.from({ length: plan.clients }, (_, n) => open(n, next)));
  for (const client of clients) schedule(client, client.number);
  await done.promise;
  const end = performance.now();
  for (const { socket } of clients) socket.destroy();
  return end - start;
}

const before = process.cpuUsage();
const ms = await (plan.rate === undefined ? flatOut() : paced(plan.rate));
const { user, system } = process.cpuUsage(before);
took.sort();
const seen: Seen = {
  perSecond: (plan.count * 1000) / ms,
  seconds: ms / 1000,
  answered,
  p50: percentile(took, 0.5),
  p95: percentile(took, 0.95),
  p99: percentile(took, 0.99),
  max: took[took.length - 1] ?? Number.NaN,
  cpu: (user + system) / 1000 / ms,
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
