import { setTimeout as sleep } from "node:timers/promises";
import { MIN_TTL } from "../../core/src/lease.ts";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { openBroken } from "./broken.ts";
import { appendLine, type Kind, type Outcome } from "./history.ts";
import { type Job, STEP } from "./job.ts";
import { Random } from "./random.ts";
import { type LeaseLedger, Recorder, type Request } from "./record.ts";
import { WireLedger } from "./served/wire-ledger.ts";

/** One client process of the workload: does its share of operations on the shared file and writes down each. */

const MIX: readonly (readonly [Kind, number])[] = [
  ["claim", 40],
  ["extend", 25],
  ["release", 10],
  ["done", 10],
  ["status", 10],
  ["sweep", 5],
];

class Client {
  readonly #job: Job;
  readonly #random: Random;
  /** The last fence granted for each task, kept when it is lost: late writes are part of the mix. */
  readonly #granted = new Map<number, number>();
  #offset = 0;
  /** Failpoints to pass before this process kills itself; null when it is to live on. */
  #lives: number | null = null;

  constructor(job: Job) {
    this.#job = job;
    this.#random = new Random(job.seed);
  }

  readonly wall = (): number => Date.now() + this.#offset;

  async run(): Promise<void> {
    const job = this.#job;
    const ledger = await this.#open();
    const recorder = new Recorder(ledger, job, this.wall, (line) => appendLine(job.out, line));
    let next = job.retry;
    for (let i = 0; i < job.operations; i += 1) {
      const request: Request = next ?? this.#wish();
      // A write passes five or more failpoints, from before BEGIN to after COMMIT.
      this.#lives = this.#random.chance(job.dieChance ?? 0) ? this.#random.between(0, 4) : null;
      next = this.#learn(request, await recorder.run(request));
      if (job.clockSteps && this.#random.chance(0.1)) this.#offset = STEP * this.#random.between(-1, 1);
      if (job.think > 0) await sleep(this.#random.between(0, job.think));
    }
    ledger.close();
  }

  #open(): Promise<LeaseLedger> {
    const options = { missing: "create", clock: this.wall, failpoint: () => this.#failpoint() } as const;
    const { file, fault, urls } = this.#job;
    if (urls) return Promise.resolve(new WireLedger(urls, this.#random));
    if (!fault) return SqliteLedger.open(file, options);
    return openBroken(file, fault, { ...options, between: () => sleep(Math.random() * 5) });
  }

  #failpoint(): void {
    if (this.#lives === null) return;
    if (this.#lives === 0) process.kill(process.pid, "SIGKILL");
    this.#lives -= 1;
  }

  #wish(): Request {
    const kind = this.#kind();
    if (kind === "sweep") return { kind, task: 0 };
    const own = [...this.#granted.keys()];
    const ours = kind === "extend" || kind === "release" || kind === "done";
    const task = this.#random.pick(ours && own.length > 0 && this.#random.chance(0.8) ? own : this.#job.tasks) ?? 1;
    const fence = ours && this.#random.chance(0.5) ? this.#granted.get(task) : undefined;
    const timed = kind === "claim" || (kind === "extend" && this.#random.chance(0.7));
    return { kind, task, fence, ttl: timed ? this.#random.between(this.#job.urls ? MIN_TTL : 200, 2000) : undefined };
  }

  #kind(): Kind {
    let left = this.#random.next() * 100;
    for (const [kind, share] of MIX) {
      left -= share;
      if (left < 0) return kind;
    }
    return "status";
  }

  /** Remembers what the answer tells. A finished task is opened again, so that the work goes on. */
  #learn({ kind, task }: Request, outcome: Outcome | null): Request | undefined {
    if (outcome?.type === "granted") this.#granted.set(task, outcome.fence);
    if (outcome?.type === "released") this.#granted.delete(task);
    const closed = outcome?.type === "refused" && outcome.code === "not_open";
    const finished = kind === "done" && outcome?.type === "accepted" && this.#random.chance(0.7);
    return closed || finished ? { kind: "reopen", task } : undefined;
  }
}

// The parent keeps this pipe open: when it is gone, so is the run.
process.stdin.once("end", () => process.exit(1)).resume();
await new Client(JSON.parse(process.argv[2] ?? "{}") as Job).run();
process.stdin.destroy();
