import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHolder } from "../../core/src/holder.ts";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { type Fault, openBroken } from "./broken.ts";
import { check, explain } from "./checker.ts";
import { type Line, type Operation, type Outcome, toOperations } from "./history.ts";
import { violations } from "./invariants.ts";
import { type LeaseLedger, Recorder, type Request } from "./record.ts";

/** Steps several clients of one file through a fixed interleaving on a clock that only the script moves. */
export class Script {
  now = Date.UTC(2026, 0, 1);
  readonly file: string;
  readonly #fault: Fault | null;
  readonly #clients = new Map<string, { ledger: LeaseLedger; recorder: Recorder; lines: Line[] }>();
  /** Holds a faulty ledger in its gap between reading and writing, once. */
  #gap: (() => Promise<void>) | null = null;

  constructor(file: string, fault: Fault | null) {
    this.file = file;
    this.#fault = fault;
  }

  async run(holder: string, request: Omit<Request, "task">): Promise<Outcome | null> {
    const { recorder } = this.#clients.get(holder) ?? (await this.#connect(holder));
    return recorder.run({ task: request.kind === "sweep" ? 0 : 1, ...request });
  }

  claim(holder: string, ttl = 1000): Promise<Outcome | null> {
    return this.run(holder, { kind: "claim", ttl });
  }

  /** Starts `slow`, does `meanwhile` in its gap when it has one, and lets it finish. */
  async during(slow: () => Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    this.#gap = () => {
      this.#gap = null;
      reached.resolve();
      return end.promise;
    };
    const finished = slow();
    await Promise.race([finished, reached.promise]);
    this.#gap = null;
    await meanwhile();
    end.resolve();
    await finished;
  }

  history(): Operation[] {
    return [...this.#clients.values()].flatMap(({ lines }) => toOperations(lines, [1], this.now));
  }

  close(): void {
    for (const { ledger } of this.#clients.values()) ledger.close();
  }

  async #connect(holder: string) {
    const options = { missing: "create", clock: () => this.now, between: async () => this.#gap?.() } as const;
    const ledger = this.#fault
      ? await openBroken(this.file, this.#fault, options)
      : await SqliteLedger.open(this.file, options);
    const lines: Line[] = [];
    const recorder = new Recorder(
      ledger,
      parseHolder(holder),
      () => this.now,
      (line) => lines.push(line),
    );
    const client = { ledger, recorder, lines };
    this.#clients.set(holder, client);
    return client;
  }
}

export interface Judgement {
  readonly linearizable: string;
  readonly violations: readonly string[];
  readonly history: readonly Operation[];
}

/** Plays a script on a fresh ledger, right or faulty, and judges what came of it. */
export async function judge(fault: Fault | null, play: (script: Script) => Promise<unknown>): Promise<Judgement> {
  const folder = mkdtempSync(join(tmpdir(), "alai-script-"));
  const script = new Script(join(folder, "ledger.db"), fault);
  try {
    const ledger = await SqliteLedger.open(script.file, { missing: "create", clock: () => script.now });
    await ledger.add([{ title: "The task" }], { actor: "lin", session: "setup" });
    ledger.close();
    await play(script);
    const history = script.history();
    script.close();
    return { linearizable: explain(check(history)), violations: violations(script.file, history), history };
  } finally {
    script.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
