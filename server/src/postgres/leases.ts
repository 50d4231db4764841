import { BadInput, type Caller, type Grant, type Millis, type Released } from "@alai/core";
import { formatHolder } from "@alai/core/holder";
import { decideClaim } from "@alai/core/lease";
import { each } from "@alai/core/rules/each";
import type { LockedTask } from "@alai/core/rules/locked-task";
import { booleans, integers, texts } from "./arrays.ts";
import { Batcher, type Waiting } from "./batcher.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { afterwards, type LeaseAnswer, type LeaseVerb, wordLease } from "./lease-answer.ts";
import { type Known, keysOf, RULES, replay, takeDistinct } from "./request-keys.ts";
import { SQL } from "./sql.ts";

interface LeaseCall {
  readonly verb: LeaseVerb;
  readonly ids: readonly number[];
  readonly caller: Caller;
  /** Null: as long as the lease was granted for. */
  readonly ttl: Millis | null;
}

/** One task of a call, which is the nth of its batch. */
type Wish = LeaseCall & { readonly n: number; readonly id: number };

type Answers = readonly (Grant | Released)[];
type Line = Waiting<LeaseCall, Answers>;

/** One task of one call, or a call that was not run because of its key. */
type Answer = LeaseAnswer & { readonly call: number; readonly moment: Millis; readonly known?: Known | null };

/**
 * Tasks in one statement: more wait for the next. While the database works on one batch the next one is read and the one before
 * is answered; with all of 64 clients in one, each of the two waited for the other (a tenth slower).
 */
const MOST = 32;

/** Claims, extends and releases of all callers of this process, many at a time. */
export class Leases {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #batcher: Batcher<LeaseCall, Answers>;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#batcher = new Batcher(select, (batch) => this.#run(batch));
  }

  claim(ids: readonly number[], caller: Caller, ttl: Millis): Promise<Grant[]> {
    return this.#ask({ verb: "claim", ids, caller, ttl }) as Promise<Grant[]>;
  }

  extend(ids: readonly number[], caller: Caller, ttl?: Millis): Promise<Grant[]> {
    return this.#ask({ verb: "extend", ids, caller, ttl: ttl ?? null }) as Promise<Grant[]>;
  }

  release(ids: readonly number[], caller: Caller): Promise<Released[]> {
    return this.#ask({ verb: "release", ids, caller, ttl: null }) as Promise<Released[]>;
  }

  async #ask(call: LeaseCall): Promise<Answers> {
    return call.ids.length === 0 ? [] : this.#batcher.ask(call);
  }

  async #run(batch: readonly Line[]): Promise<readonly Line[]> {
    try {
      return await this.#commit(batch);
    } catch (error) {
      if (batch.length > 1 && error instanceof BadInput) return this.#oneByOne(batch);
      for (const { reject } of batch) reject(error);
      return [];
    }
  }

  /** One call holds something that Postgres cannot keep: the others must not suffer for it. */
  async #oneByOne(batch: readonly Line[]): Promise<readonly Line[]> {
    const left: Line[] = [];
    for (const line of batch) left.push(...(await this.#run([line])));
    return left;
  }

  /** Sending it again is safe: a claim that was made is then one of one's own, an extension no shorter, a release done already. */
  async #commit(batch: readonly Line[]): Promise<readonly Line[]> {
    const later = laterOnes(batch);
    const wishes = batch.flatMap(({ call }, n) => [...new Set(call.ids)].map((id) => ({ ...call, n, id })));
    const keys = keysOf(wishes.map(({ caller }) => caller));
    const values = [...argumentsOf(wishes, later), RULES, ...(keys ?? [])];
    const statement = keys ? SQL.changeLeasesOnce : SQL.changeLeases;
    const rows = (await this.#database.call(statement, values, { repeatable: true })) as unknown as Answer[];
    this.#changes.wrote(null);
    return settle(batch, rows, later);
  }
}

/** One element for each task of each call: calls, verbs, tasks, actors, sessions, lengths, fences, laters. */
function argumentsOf(wishes: readonly Wish[], later: ReadonlySet<number>): string[] {
  return [
    integers(wishes.map(({ n }) => n)),
    texts(wishes.map(({ verb }) => verb)),
    integers(wishes.map(({ id }) => id)),
    texts(wishes.map(({ caller }) => caller.actor)),
    texts(wishes.map(({ caller }) => caller.session)),
    integers(wishes.map(({ ttl }) => ttl)),
    integers(wishes.map(({ caller }) => caller.fence ?? null)),
    booleans(wishes.map(({ n }) => later.has(n))),
  ];
}

/** As many calls as fit, in their order. */
function select(queue: Line[]): Line[] {
  let tasks = 0;
  return takeDistinct(queue, ({ ids }) => {
    tasks += ids.length;
    return tasks === ids.length || tasks <= MOST;
  });
}

/** Calls whose task an earlier one of the batch has: they see what that one left, so they are decided after it. */
function laterOnes(batch: readonly Line[]): ReadonlySet<number> {
  const taken = new Set<number>();
  const later = new Set<number>();
  batch.forEach(({ call: { ids } }, i) => {
    if (ids.some((id) => taken.has(id))) later.add(i);
    else for (const id of ids) taken.add(id);
  });
  return later;
}

/** Answers the calls; gives back those that the next batch must decide. */
function settle(batch: readonly Line[], rows: readonly Answer[], later: ReadonlySet<number>): Line[] {
  const byCall = Map.groupBy(rows, ({ call }) => call);
  /** How the tasks were left by the calls before. */
  const state = new Map<number, LockedTask>();
  const left: Line[] = [];
  batch.forEach((line, i) => {
    const { caller } = line.call;
    const answers = byCall.get(i) ?? [];
    const [first] = answers;
    try {
      if (first?.known) line.resolve(replay<Answers>(first.known, caller));
      else if (later.has(i)) refuseOrLeave(line, state, first?.moment ?? 0, left);
      else {
        const done = answers.every(({ act }) => act !== null);
        for (const answer of answers) state.set(answer.task, afterwards(answer, caller, done));
        line.resolve(wordCall(line.call, answers));
      }
    } catch (error) {
      line.reject(error);
    }
  });
  return left;
}

function wordCall({ verb, ids, caller }: LeaseCall, answers: readonly Answer[]): Answers {
  const byTask = new Map(answers.map((answer) => [answer.task, answer]));
  return each(ids, (id) => {
    const answer = byTask.get(id);
    if (!answer) throw new Error(`the database said nothing of task ${id}`);
    return wordLease(verb, answer, caller, answer.moment);
  });
}

/** Most of many that want one task are refused, and that is known now: the one before them holds it. */
function refuseOrLeave(line: Line, state: ReadonlyMap<number, LockedTask>, now: Millis, left: Line[]): void {
  const { verb, ids, caller } = line.call;
  const before = state.get(ids[0] ?? 0);
  if (verb === "claim" && ids.length === 1 && before) decideClaim(before, formatHolder(caller), now);
  left.push(line);
}
