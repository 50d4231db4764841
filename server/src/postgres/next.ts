import type { Caller, Millis, NextTask, TaskFilter } from "@alai/core";
import { explainNext, noneReady } from "@alai/core/rules/next";
import { Batcher, type Waiting } from "./batcher.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { Filters, MOMENT, READ_MOMENT } from "./filter.ts";
import type { KeptTask } from "./kept.ts";
import { wordNext } from "./next-answer.ts";
import { type Found, keysOf, RULES, replay } from "./request-keys.ts";
import { readTask, type TaskRow } from "./rows.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";

interface NextCall {
  readonly filter: TaskFilter;
  /** The filter as SQL: calls with the same one go together. */
  readonly condition: string;
  readonly caller: Caller;
  readonly ttl: Millis;
}

type Line = Waiting<NextCall, NextTask>;

/** What `alai.claim_next` gives. */
interface Outcome {
  readonly asked: Millis;
  readonly found: readonly Found[] | null;
  readonly moment: Millis | null;
  readonly seq: number | null;
  readonly left: readonly number[] | null;
  readonly tasks: readonly KeptTask[] | null;
}

const MOST = 128;

/** `next` of all callers of this process; those that claim, many at a time, each with another task. */
export class Next {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #batcher: Batcher<NextCall, NextTask>;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#batcher = new Batcher(select, (batch) => this.#run(batch));
  }

  /** The first claimable task in urgency order. Throws `none_ready`. */
  async look(filter: TaskFilter): Promise<NextTask> {
    const filters = new Filters(READ_MOMENT);
    const where = filters.all(filters.claimable(), ...filters.anyStatus(filter));
    const sql = `WITH ready AS MATERIALIZED (SELECT t.id FROM alai.tasks t WHERE ${where}),
first AS (SELECT t.id FROM alai.tasks t JOIN ready USING (id) ORDER BY ${filters.orderBy([])} LIMIT 1)
SELECT r.*, ${READ_MOMENT} AS now, (SELECT count(*) FROM ready) AS ready FROM alai.task_rows r JOIN first USING (id)`;
    const [row] = await this.#database.call({ text: sql }, filters.values, { repeatable: true });
    if (!row) throw noneReady();
    const now = Number(row.now);
    const task = readTask(row as Row & TaskRow, now);
    return { task, why: explainNext(task, Number(row.ready), now), grant: null };
  }

  /** The same, taken. Throws `none_ready`. */
  claim(filter: TaskFilter, caller: Caller, ttl: Millis): Promise<NextTask> {
    const filters = new Filters(MOMENT, "inline");
    const condition = filters.all(filters.claimable(), ...filters.anyStatus(filter));
    return this.#batcher.ask({ filter, condition, caller, ttl });
  }

  async #run(batch: readonly Line[]): Promise<readonly Line[]> {
    try {
      const calls = batch.map(({ call: { caller, ttl } }, call) => ({
        call,
        actor: caller.actor,
        session: caller.session,
        ttl,
      }));
      const keys = keysOf(batch.map(({ call }) => call.caller));
      // Only with a key can it be sent again: another task would be taken.
      const repeatable = batch.every(({ call }) => call.caller.request !== undefined);
      const values = [batch[0]?.call.condition, JSON.stringify(calls), keys, RULES];
      const [row] = await this.#database.call(SQL.claimNext, values, { repeatable });
      const outcome = row?.answer as Outcome;
      this.#changes.wrote(outcome.seq);
      return settle(batch, outcome);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return [];
    }
  }
}

/** The first call, and the others that ask for the same. */
function select(queue: Line[]): Line[] {
  const condition = queue[0]?.call.condition;
  const batch = queue.filter(({ call }) => call.condition === condition).slice(0, MOST);
  const taken = new Set(batch);
  const rest = queue.filter((line) => !taken.has(line));
  queue.splice(0, queue.length, ...rest);
  return batch;
}

function settle(batch: readonly Line[], outcome: Outcome): Line[] {
  const found = new Map((outcome.found ?? []).map((kept) => [kept[0], kept]));
  const tasks = new Map((outcome.tasks ?? []).map((task) => [task[0], task]));
  const left = new Set(outcome.left ?? []);
  const again: Line[] = [];
  batch.forEach((line, i) => {
    try {
      const kept = found.get(i);
      const task = tasks.get(i);
      if (kept) line.resolve(replay<NextTask>(kept, line.call.caller, outcome.asked));
      else if (task) line.resolve(wordNext(task, outcome.moment ?? outcome.asked));
      else if (left.has(i)) again.push(line);
      else line.reject(noneReady());
    } catch (error) {
      line.reject(error);
    }
  });
  return again;
}
