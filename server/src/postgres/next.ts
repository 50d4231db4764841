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
  /** Null in the last row, whose `known` says what comes next. */
  readonly call: number | null;
  readonly again: boolean | null;
  readonly task: Row | null;
  readonly known: Known | Ahead | null;
}

/** What comes next at the journal's end `seq`, until the moment `until`: then nobody need search and count again. */
interface Ahead {
  readonly seq: number;
  readonly until: Millis | null;
  readonly ready: number;
  /** Null in an answer: those of before, without the ones that were taken. */
  readonly ids: readonly number[] | null;
}

const MOST = 128;
/** Filters whose next tasks are remembered. */
const FILTERS = 20;

/** `next` of all callers of this process; those that claim, many at a time, each with another task. */
export class Next {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #batcher: Batcher<NextCall, NextTask>;
  /** By condition. */
  readonly #ahead = new Map<string, Ahead>();

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#batcher = new Batcher(select, (batch) => this.#run(batch));
  }

  /** The first claimable task in urgency order. Throws `none_ready`. */
  async look(filter: TaskFilter): Promise<NextTask> {
    const filters = new Filters(READ_MOMENT);
    const where = filters.all(filters.claimable(), ...filters.anyStatus(filter));
    const tasks = `FROM alai.tasks t WHERE ${where}`;
    const first = `SELECT t.id ${tasks} ORDER BY ${filters.orderBy([])} LIMIT 1`;
    const sql = `SELECT r.*, ${READ_MOMENT} AS now, (SELECT count(*) ${tasks}) AS ready
FROM alai.task_rows r WHERE r.id = (${first})`;
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
    const condition = batch[0]?.call.condition ?? "";
    const ahead = this.#ahead.get(condition);
    this.#ahead.delete(condition);
    try {
      const keys = keysOf(batch.map(({ call }) => call.caller));
      // Only with a key can it be sent again: another task would be taken.
      const repeatable = batch.every(({ call }) => call.caller.request !== undefined);
      const known = ahead ? JSON.stringify({ ...ahead, ids: ahead.ids?.slice(0, batch.length) }) : null;
      const values = [condition, ...argumentsOf(batch), RULES, ...(keys ?? [null, null]), known];
      const rows = (await this.#database.call(SQL.claimNext, values, { repeatable })) as unknown as Answer[];
      this.#changes.wrote(null);
      this.#remember(condition, ahead, rows);
      return settle(batch, rows);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return [];
    }
  }

  /** Keeps what the answer says comes next. Without a word of it the next batch searches again. */
  #remember(condition: string, before: Ahead | undefined, rows: readonly Answer[]): void {
    const last = rows.at(-1);
    if (!last || last.call !== null) return;
    const next = last.known as Ahead;
    const taken = rows.filter(({ task }) => task !== null).length;
    if (this.#ahead.size >= FILTERS) this.#ahead.clear();
    this.#ahead.set(condition, { ...next, ids: next.ids ?? before?.ids?.slice(taken) ?? [] });
  }
}

/** The first call, and the others that ask for the same. */
function select(queue: Line[]): Line[] {
  const condition = queue[0]?.call.condition;
  let calls = 0;
  return takeDistinct(queue, (call) => call.condition === condition && calls++ < MOST);
}

/** One element for each call: calls, actors, sessions, lengths. */
function argumentsOf(batch: readonly Line[]): string[] {
  return [
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
      if (answer.known) line.resolve(replay<NextTask>(answer.known as Known, line.call.caller));
      else if (task) line.resolve(wordNext({ ...answer, task }));
      else if (answer.again) left.push(line);
      else throw noneReady();
    } catch (error) {
      line.reject(error);
    }
  });
  return left;
}
