import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { type Invoke, type Operation, readLines, toOperations } from "./history.ts";
import { type Job, STEP } from "./job.ts";
import { Random } from "./random.ts";
import type { Request } from "./record.ts";

/** Many client processes on one ledger file, with some killed and some stopped past their lease. */

/** Milliseconds after which a run is given up, so that it can clean up before the test's own timeout. */
const LIMIT = 240_000;

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

export interface Plan extends Pick<Job, "think" | "dieChance" | "clockSteps" | "fault"> {
  readonly seed: number;
  readonly processes: number;
  readonly operations: number;
  readonly tasks: number;
  /** Kills and stops from outside: how many in all, and the milliseconds between two. Bounded, or a slow machine would do nothing else. */
  readonly faults?: { readonly count: number; readonly every: number };
  /** Servers in place of a file, with the tasks that are there. Errors are then expected: the operation's outcome is unknown. */
  readonly served?: { readonly urls: readonly string[]; readonly tasks: readonly number[] };
}

export interface Run {
  readonly file: string;
  readonly history: readonly Operation[];
  readonly invoked: number;
  readonly unknown: number;
  readonly killed: number;
  readonly stopped: number;
  /** What went wrong that is no refusal: none is expected. */
  readonly errors: readonly string[];
  readonly ms: number;
}

interface Member {
  readonly job: Job;
  readonly child: ChildProcess;
  /** Resolves with the wall clock at which it had surely ended. */
  readonly ended: Promise<number>;
  deadBy: number;
}

export function seedFromEnvironment(): number {
  const given = process.env.ALAI_LIN_SEED;
  return given ? Number(given) : Math.floor(Math.random() * 2 ** 31);
}

/** Runs the plan and hands the result to `judge` while the files are still there; leaves nothing behind. */
export async function withRun<T>(plan: Plan, judge: (run: Run) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "alai-lin-"));
  const fleet = new Fleet(plan, folder);
  try {
    return await judge(await fleet.run());
  } finally {
    await fleet.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Fleet {
  readonly #plan: Plan;
  readonly #folder: string;
  readonly #file: string;
  readonly #random: Random;
  readonly #all: Member[] = [];
  readonly #stopped = new Set<Member>();
  readonly #errors: string[] = [];
  #killed = 0;
  #stops = 0;
  /** Killed and not replaced yet. */
  readonly #dead: Member[] = [];
  #tasks: readonly number[] = [];

  constructor(plan: Plan, folder: string) {
    this.#plan = plan;
    this.#folder = folder;
    this.#file = join(folder, "ledger.db");
    this.#random = new Random(plan.seed);
  }

  async run(): Promise<Run> {
    const start = performance.now();
    this.#tasks = this.#plan.served?.tasks ?? (await makeTasks(this.#file, this.#plan.tasks));
    const share = Math.ceil(this.#plan.operations / this.#plan.processes);
    for (let i = 0; i < this.#plan.processes; i += 1) this.#start(this.#job(i, share));
    const faults = this.#strikes();
    while (this.#running().length > 0 || this.#dead.length > 0) {
      if (performance.now() - start > LIMIT) throw new Error(`the workload did not end within ${LIMIT} ms`);
      await Promise.race([sleep(100), ...this.#running().map((member) => member.ended)]);
      for (const member of this.#dead.splice(0)) this.#replace(member);
    }
    await faults;
    const members = await Promise.all(this.#all.map(async (member) => ({ member, deadBy: await member.ended })));
    const parts = members.map(({ member, deadBy }) => ({ lines: linesOf(member.job), deadBy }));
    const lines = parts.flatMap((part) => part.lines);
    const failed = lines.filter((line) => line.type === "return").flatMap((line) => line.error ?? []);
    if (!this.#plan.served) this.#errors.push(...failed);
    // A client that was killed may have been an hour ahead.
    const ahead = this.#plan.clockSteps ? STEP : 0;
    return {
      file: this.#file,
      history: parts.flatMap((part) => toOperations(part.lines, this.#tasks, part.deadBy + ahead)),
      invoked: lines.filter((line) => line.type === "invoke").length,
      unknown: parts.reduce((sum, part) => sum + unanswered(part.lines).length, 0) + failed.length,
      killed: this.#killed,
      stopped: this.#stops,
      errors: this.#errors,
      ms: performance.now() - start,
    };
  }

  /** Ends what is left, also after a failure. Only processes of this fleet, by their handles. */
  async end(): Promise<void> {
    // A stopped process dies of this signal too.
    for (const { child } of this.#running()) child.kill("SIGKILL");
    await Promise.all(this.#all.map((member) => member.ended));
  }

  /** Two by two the clients are sessions of one actor. */
  #job(i: number, operations: number): Job {
    const { think, dieChance, clockSteps, fault } = this.#plan;
    const seed = this.#random.between(0, 2 ** 31 - 1);
    const names = { actor: `actor${i >> 1}`, session: `s${i}`, out: join(this.#folder, `${i}.ndjson`) };
    const urls = this.#plan.served?.urls;
    return {
      file: this.#file,
      urls,
      ...names,
      seed,
      operations,
      tasks: this.#tasks,
      think,
      dieChance,
      clockSteps,
      fault,
    };
  }

  #start(job: Job): void {
    const child = spawn(process.execPath, [WORKER, JSON.stringify(job)], { stdio: ["pipe", "ignore", "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const ended = once(child, "close").then(([code, signal]) => {
      member.deadBy = Date.now();
      if (signal === "SIGKILL") this.#dead.push(member);
      else if (code !== 0) this.#errors.push(`${job.session} ended with ${code ?? signal}: ${stderr}`);
      return member.deadBy;
    });
    const member: Member = { job, child, ended, deadBy: 0 };
    this.#all.push(member);
  }

  #running(): Member[] {
    return this.#all.filter((member) => member.deadBy === 0);
  }

  async #strikes(): Promise<void> {
    const { count, every } = this.#plan.faults ?? { count: 0, every: 0 };
    for (let i = 0; i < count && this.#running().length > 0; i += 1) {
      await sleep(every);
      this.#strike();
    }
  }

  /** One fault from outside: a client is killed, or stopped for longer than most leases last. */
  #strike(): void {
    const member = this.#random.pick(this.#running().filter((one) => !this.#stopped.has(one)));
    if (!member) return;
    if (this.#random.chance(0.5)) member.child.kill("SIGKILL");
    else if (this.#stopped.size < 4) void this.#pause(member, this.#random.between(300, 2200));
  }

  async #pause(member: Member, ms: number): Promise<void> {
    if (!member.child.kill("SIGSTOP")) return;
    this.#stopped.add(member);
    this.#stops += 1;
    await sleep(ms);
    member.child.kill("SIGCONT");
    this.#stopped.delete(member);
  }

  /** Half of the time the successor is the same session and asks again for what it got no answer to. */
  #replace(member: Member): void {
    this.#killed += 1;
    const { job } = member;
    const lines = linesOf(job);
    const left = job.operations - lines.filter((line) => line.type === "invoke").length;
    if (left <= 0) return;
    const same = this.#random.chance(0.5);
    const seed = this.#random.between(0, 2 ** 31 - 1);
    const session = same ? job.session : `${job.session}r`;
    const out = `${job.out}.${this.#killed}`;
    const retry = same ? retryOf(lines) : undefined;
    this.#start({ ...job, session, out, seed, operations: left, retry });
  }
}

async function makeTasks(file: string, count: number): Promise<number[]> {
  const ledger = await SqliteLedger.open(file, { missing: "create" });
  const titles = Array.from({ length: count }, (_, i) => ({ title: `Task ${i + 1}` }));
  const added = await ledger.add(titles, { actor: "lin", session: "setup" });
  ledger.close();
  return added.map(({ task }) => task.id);
}

function linesOf(job: Job) {
  return existsSync(job.out) ? readLines(job.out) : [];
}

function unanswered(lines: ReturnType<typeof readLines>): Invoke[] {
  const answered = new Set(lines.filter((line) => line.type === "return").map((line) => line.n));
  return lines.filter((line) => line.type === "invoke").filter((line) => !answered.has(line.n));
}

function retryOf(lines: ReturnType<typeof readLines>): Request | undefined {
  const last = unanswered(lines).at(-1);
  return last?.kind === "claim" ? { kind: "claim", task: last.task, ttl: last.ttl } : undefined;
}
