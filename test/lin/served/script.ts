import { parseHolder } from "@alai/core/holder";
import { check, explain } from "../checker.ts";
import { type Line, type Operation, type Outcome, toOperations } from "../history.ts";
import { breaches } from "../invariants.ts";
import { Random } from "../random.ts";
import { Recorder, type Request } from "../record.ts";
import { openServer, type ServerFault, type TestServer } from "./broken.ts";
import { journalOf, roundedClock } from "./journal.ts";
import { amiss, type ReadOnce } from "./readers.ts";
import { WireLedger } from "./wire-ledger.ts";

/** How long a reader waits for what should have come. */
const PATIENCE = 5000;

/** Steps clients of two servers over one database through a fixed interleaving. The one called `suspect` may have a fault. */
export class ServedScript {
  readonly #databaseUrl: string;
  readonly #right: TestServer;
  readonly #suspect: TestServer;
  readonly #task: number;
  readonly #lines = new Map<string, Line[]>();
  readonly #recorders = new Map<string, Recorder>();
  readonly seen: number[] = [];
  /** What the suspect waits for in its gap between answer and commit. */
  readonly gap: PromiseWithResolvers<void>;

  private constructor(
    databaseUrl: string,
    servers: { right: TestServer; suspect: TestServer; gap: PromiseWithResolvers<void> },
    task: number,
  ) {
    this.#databaseUrl = databaseUrl;
    this.#right = servers.right;
    this.#suspect = servers.suspect;
    this.gap = servers.gap;
    this.#task = task;
  }

  static async open(databaseUrl: string, fault: ServerFault | null): Promise<ServedScript> {
    const gap = Promise.withResolvers<void>();
    const [right, suspect] = await Promise.all([
      openServer(databaseUrl, null),
      openServer(databaseUrl, fault, () => gap.promise),
    ]);
    return new ServedScript(databaseUrl, { right, suspect, gap }, await addTask(right.url));
  }

  /** By the server without a fault. */
  right(holder: string, request: Omit<Request, "task">): Promise<Outcome | null> {
    return this.#run(this.#right.url, holder, request);
  }

  suspect(holder: string, request: Omit<Request, "task">): Promise<Outcome | null> {
    return this.#run(this.#suspect.url, holder, request);
  }

  /** The suspect's feed, from after what was seen up to the number `to`, over a connection of its own. */
  async read(read: ReadOnce, to: number): Promise<void> {
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(PATIENCE)]);
    const take = (seq: number) => {
      this.seen.push(seq);
      if (seq >= to) enough.abort();
    };
    await read(this.#suspect.url, this.seen.at(-1) ?? 0, signal, take).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  /** What checker, invariants and the reader's own count say. */
  async judge(): Promise<{ linearizable: string; violations: string[]; feed: string[] }> {
    const history = roundedClock(this.#history());
    const journal = await journalOf(this.#databaseUrl);
    return {
      linearizable: explain(check(history)),
      violations: breaches(journal, history),
      feed: this.seen.length > 0 ? amiss(this.seen, journal.events.length) : [],
    };
  }

  async close(): Promise<void> {
    this.gap.resolve();
    await Promise.all([this.#right.close(), this.#suspect.close()]);
  }

  #history(): Operation[] {
    return [...this.#lines.values()].flatMap((lines) => toOperations(lines, [this.#task], Date.now()));
  }

  #run(url: string, holder: string, request: Omit<Request, "task">): Promise<Outcome | null> {
    const key = `${holder} ${url}`;
    const lines: Line[] = this.#lines.get(key) ?? [];
    this.#lines.set(key, lines);
    const recorder =
      this.#recorders.get(key) ??
      new Recorder(new WireLedger([url], new Random(1)), parseHolder(holder), Date.now, (line) => lines.push(line));
    this.#recorders.set(key, recorder);
    return recorder.run({ task: this.#task, ...request });
  }
}

async function addTask(url: string): Promise<number> {
  const answer = await fetch(`${url}/tasks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title: "The task" }),
  });
  const { task } = (await answer.json()) as { task: { id: number } };
  return task.id;
}
