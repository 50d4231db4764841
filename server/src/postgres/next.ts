import type { Caller, Millis, NextTask, TaskFilter } from "@alai/core";
import { explainNext, noneReady } from "@alai/core/rules/next";
import { integers, texts } from "./arrays.ts";
import { Batcher, type Waiting } from "./batcher.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { Filters, MOMENT, READ_MOMENT } from "./filter.ts";

import { type NextAnswer, wordNext } from "./next-answer.ts";
import { type Known, keysOf, RULES, replay, takeDistinct } from "./request-keys.ts";
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

/** What a call came to; without a task nothing was ready, or, when `again`, others were quicker. */
interface Answer extends Omit<NextAnswer, "task"> {
  readonly call: number;
  readonly again: boolean | null;
  readonly task: Row | null;
  readonly known: Known | null;
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
      const keys = keysOf(batch.map(({ call }) => call.caller));
      // Only with a key can it be sent again: another task would be taken.
      const repeatable = batch.every(({ call }) => call.caller.request !== undefined);
      const values = [...argumentsOf(batch), RULES, ...(keys ?? [null, null])];
      const rows = (await this.#database.call(SQL.claimNext, values, { repeatable })) as unknown as Answer[];
      this.#changes.wrote(null);
      return settle(batch, rows);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return [];
    }
  }
}

/** The first call, and the others that ask for the same. */
function select(queue: Line[]): Line[] {
  const condition = queue[0]?.call.condition;
  let calls = 0;
  return takeDistinct(queue, (call) => call.condition === condition && calls++ < MOST);
}

/** The condition, then one element for each call: calls, actors, sessions, lengths. */
function argumentsOf(batch: readonly Line[]): unknown[] {
  return [
    batch[0]?.call.condition,
    integers(batch.map((_, i) => i)),
    texts(batch.map(({ call }) => call.caller.actor)),
    texts(batch.map(({ call }) => call.caller.session)),
    integers(batch.map(({ call }) => call.ttl)),
  ];
}

function settle(batch: readonly Line[], rows: readonly Answer[]): Line[] {
  const byCall = new Map(rows.map((row) => [row.call, row]));
  const left: Line[] = [];
  batch.forEach((line, i) => {
    const answer = byCall.get(i);
    try {
      if (!answer) throw new Error(`the database said nothing of call ${i}`);
      const { task } = answer;
      if (answer.known) line.resolve(replay<NextTask>(answer.known, line.call.caller));
      else if (task) line.resolve(wordNext({ ...answer, task }));
      else if (answer.again) left.push(line);
      else throw noneReady();
    } catch (error) {
      line.reject(error);
    }
  });
  return left;
}
