import { join } from "node:path";
import type { Millis } from "@alai/core";
import { JOBS, type Job, nextAfter } from "../daily/schedule.ts";
import type { DailySpec } from "../manifest/model.ts";
import type { DailyReport } from "../report.ts";
import type { ChildSpec, Surroundings } from "./child.ts";
import { ERRAND, Errand } from "./errand.ts";
import { sentenceOf } from "./log.ts";
import { rotate } from "./rotate.ts";
import type { AgentState } from "./state.ts";

/** A restore of everything over a slow line takes hours; what takes longer than this hangs. */
const LIMIT: Millis = 6 * 3_600_000;
/** What failed is tried again after this, then after twice this and so on, at the latest when it is its time again. */
const AGAIN: Millis = 3_600_000;
const MOST_DOUBLINGS = 6;

export interface DailyOptions extends Surroundings {
  readonly spec: DailySpec;
  /** The words that do a job: this program's own. */
  readonly command: (job: Job) => ChildSpec["command"];
  /** Whole, credentials included. */
  readonly env: ChildSpec["env"];
  /** `Host.state`. */
  readonly stateFolder: string;
  readonly limit?: Millis;
}

/** A run that ended by itself, as it is kept: one that was killed with the machine or the agent was none. */
interface Run {
  readonly startedAt: Millis;
  readonly endedAt: Millis;
  /** Null: it was good. */
  readonly problem: string | null;
  /** In a row, this one counted. */
  readonly failures: number;
}

/** The proof and the drill of each day, one at a time, as processes of their own: the agent itself stays small, and can be killed. */
export class Daily {
  readonly #options: DailyOptions;
  readonly #startedAt: Millis;
  /** What is kept in the state file, too: that is not read again and again, and may be on a full disk. */
  readonly #runs = new Map<Job, Run>();
  /** Since when what was never made has been due: the agent that saw it first may be gone. */
  readonly #dueSince = new Map<Job, Millis>();
  #running: { readonly job: Job; readonly errand: Errand } | null = null;
  #stopped = false;

  constructor(options: DailyOptions) {
    this.#options = options;
    this.#startedAt = options.clock();
    for (const job of JOBS) {
      const run = options.state.recall<Run>("", kindOf(job));
      if (run) this.#runs.set(job, run);
    }
    this.#noteDue();
  }

  /** Starts what is due, when nothing runs. */
  tick(): void {
    if (this.#running || this.#stopped) return;
    const now = this.#options.clock();
    const job = JOBS.find((one) => {
      const due = this.#dueAt(one);
      return due !== null && due <= now;
    });
    if (job) this.#start(job, now);
  }

  /** Ends what runs, for something more important; it is due again at once. */
  interrupt(): Promise<void> {
    const running = this.#running;
    if (!running) return Promise.resolve();
    this.#options.log.info("a daily run is ended before its time", { job: running.job });
    return running.errand.stop();
  }

  /** As `interrupt`, and for good. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.interrupt();
  }

  /** Keeps its logs short. */
  tidy(): void {
    if (this.#running) rotate(this.#running.errand.spec.logFile);
  }

  get report(): readonly DailyReport[] {
    return JOBS.filter((job) => this.#options.spec[job] !== null).map((job) => {
      const last = this.#last(job);
      return {
        job,
        pid: (this.#running?.job === job && this.#running.errand.pid) || null,
        startedAt: last?.startedAt ?? null,
        endedAt: last?.endedAt ?? null,
        problem: last?.problem ?? null,
        dueAt: this.#dueAt(job) || (this.#dueSince.get(job) ?? this.#startedAt),
        log: this.#logOf(job),
      };
    });
  }

  /** An agent that is started again and again would else never say that it does not come to what is due. */
  #noteDue(): void {
    const { spec, state } = this.#options;
    const entries = JOBS.map((job) => {
      const kept = state.recall<Millis>("", dueOf(job));
      const waits = spec[job] !== null && !this.#runs.has(job);
      const value = waits ? Math.min(kept ?? this.#startedAt, this.#startedAt) : null;
      if (value !== null) this.#dueSince.set(job, value);
      return { name: "", kind: dueOf(job), value, isNew: value !== kept };
    });
    this.#write(entries.filter(({ isNew }) => isNew));
  }

  /** Null: never. What has no run that counts is due at once. */
  #dueAt(job: Job): Millis | null {
    const time = this.#options.spec[job];
    if (time === null) return null;
    const last = this.#last(job);
    if (!last) return 0;
    const next = nextAfter(time, last.startedAt);
    if (last.problem === null) return next;
    return Math.min(next, last.endedAt + AGAIN * 2 ** Math.min(last.failures - 1, MOST_DOUBLINGS));
  }

  /** Null also for one of the future: the machine's clock was set back, and it says nothing. */
  #last(job: Job): Run | null {
    const last = this.#runs.get(job);
    return last && last.startedAt <= this.#options.clock() + AGAIN ? last : null;
  }

  #logOf(job: Job): string {
    return join(this.#options.stateFolder, "log", `${nameOf(job)}.log`);
  }

  #start(job: Job, startedAt: Millis): void {
    const { command, env, log, limit = LIMIT } = this.#options;
    const spec = { name: nameOf(job), command: command(job), env, logFile: this.#logOf(job) };
    let errand: Errand;
    try {
      errand = new Errand(spec, this.#options, limit);
    } catch (error) {
      this.#ended(job, startedAt, `not started: ${sentenceOf(error)}`);
      return;
    }
    this.#running = { job, errand };
    log.info("a daily run begins", { job, pid: errand.pid ?? null });
    void errand.ended.then((problem) => {
      this.#running = null;
      if (problem !== undefined) this.#ended(job, startedAt, problem);
    });
  }

  #ended(job: Job, startedAt: Millis, problem: string | null): void {
    const { clock, log } = this.#options;
    const failures = problem === null ? 0 : (this.#last(job)?.failures ?? 0) + 1;
    const run: Run = { startedAt, endedAt: clock(), problem, failures };
    this.#runs.set(job, run);
    this.#dueSince.delete(job);
    if (problem === null) log.info("a daily run was good", { job });
    else log.warn("a daily run failed", { job, problem, log: this.#logOf(job) });
    this.#write([{ name: "", kind: kindOf(job), value: run }]);
  }

  #write(entries: Parameters<AgentState["keep"]>[0]): void {
    const { state, log } = this.#options;
    try {
      if (entries.length > 0) state.keep(entries);
    } catch (error) {
      const kinds = entries.map(({ kind }) => kind).join(", ");
      log.error("what is known of daily runs is not written down", { what: kinds, reason: sentenceOf(error) });
    }
  }
}

/** What a process of it is written down as, and its log is called. */
function nameOf(job: Job): string {
  return `${ERRAND}${job}`;
}

function kindOf(job: Job): string {
  return `daily ${job}`;
}

function dueOf(job: Job): string {
  return `daily ${job} due since`;
}
