import { type Behaviour, Faulty, forward } from "../client/faulty.ts";
import { quietPort } from "../client/port.ts";
import type { Place } from "./harness.ts";
import type { Options, Running } from "./running.ts";

/** `alai serve` of the build under test, over a ledger file of its own in the place. */
export class Server {
  readonly db: string;
  readonly #place: Place;
  readonly #running: Running;
  readonly url: string;

  private constructor(place: Place, db: string, running: Running, url: string) {
    this.#place = place;
    this.db = db;
    this.#running = running;
    this.url = url;
  }

  /** @param port the one to listen on; absent: one that is still free when the server is started again. */
  static async start(place: Place, options: Options & { readonly port?: number } = {}): Promise<Server> {
    const db = place.file("served.db");
    const words = ["serve", "--port", String(options.port ?? (await quietPort())), "--log-level", "silent"];
    const running = place.start(words, { env: { ALAI_MC_DB: db, ALAI_MC_URL: "", ...options.env }, input: null });
    const url = await hear(running);
    return new Server(place, db, running, url);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Environment that makes a command use it. */
  get env(): Record<string, string> {
    return { ALAI_MC_URL: this.url };
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#running.kill();
    await this.#running.ended;
  }

  /** It does not answer, and its connections stay. */
  freeze(): void {
    this.#running.signal("SIGSTOP");
  }

  thaw(): void {
    this.#running.signal("SIGCONT");
  }

  /** The same ledger at the same address again. */
  restart(): Promise<Server> {
    return Server.start(this.#place, { port: this.port });
  }
}

/** Stands between a command and its server: what was asked is seen, and the server can be away for a moment. */
export async function between({ url }: Server, port?: number): Promise<Faulty> {
  const handOn: Behaviour = (request, socket) =>
    Promise.resolve(forward(url)(request, socket)).catch(() => socket.destroy());
  return Faulty.startAt(port ?? (await quietPort()), handOn);
}

async function hear(running: Running): Promise<string> {
  const end = Date.now() + 120_000;
  for (;;) {
    const url = /on (http:\S+)/.exec(running.stderr)?.[1];
    if (url) return url;
    if (Date.now() > end || running.child.exitCode !== null) throw new Error(`no server: ${running.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
