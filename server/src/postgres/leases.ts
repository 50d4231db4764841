import type { Caller, Grant, Millis, Released } from "@alai/core";
import { formatHolder } from "@alai/core/holder";
import { decideClaim } from "@alai/core/lease";
import { each } from "@alai/core/rules/each";
import { Batcher, type Waiting } from "./batcher.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { isDataError } from "./errors.ts";
import { afterwards, type LeaseAnswer, type LeaseVerb, wordLease } from "./lease-answer.ts";
import { type Found, keysOf, RULES, replay } from "./request-keys.ts";
import { SQL } from "./sql.ts";

interface LeaseCall {
  readonly verb: LeaseVerb;
  readonly ids: readonly number[];
  readonly caller: Caller;
  /** Null: as long as the lease was granted for. */
  readonly ttl: Millis | null;
}

type Answers = readonly (Grant | Released)[];
type Line = Waiting<LeaseCall, Answers>;

/** What `alai.change_leases` gives. */
interface Outcome {
  readonly asked: Millis;
  readonly found: readonly Found[] | null;
  readonly moment: Millis;
  readonly seq: number | null;
  readonly tasks: readonly (readonly [call: number, task: number, answer: LeaseAnswer | null])[] | null;
}

/** Tasks in one statement: more wait for the next, so that nobody's answer takes long. */
const MOST = 128;

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
      const [only] = batch;
      if (batch.length > 1 && isDataError((error as Error).cause)) return this.#oneByOne(batch);
      if (batch.length === 1 && only) only.reject(error);
      else for (const { reject } of batch) reject(error);
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
    const calls = batch.map(({ call: { verb, ids, caller, ttl } }, i) => ({
      call: i,
      verb,
      tasks: [...new Set(ids)],
      actor: caller.actor,
      session: caller.session,
      ttl,
      fence: caller.fence ?? null,
      later: later.has(i),
    }));
    const keys = keysOf(batch.map(({ call }) => call.caller));
    const [row] = await this.#database.call(SQL.changeLeases, [JSON.stringify(calls), keys, RULES], {
      repeatable: true,
    });
    const outcome = row?.answer as Outcome;
    this.#changes.wrote(outcome.seq);
    return settle(batch, outcome, later);
  }
}

/** As many calls as fit, in their order. */
function select(queue: Line[]): Line[] {
  let tasks = 0;
  let n = 0;
  for (const { call } of queue) {
    tasks += call.ids.length;
    if (n > 0 && tasks > MOST) break;
    n += 1;
  }
  return queue.splice(0, n);
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
function settle(batch: readonly Line[], outcome: Outcome, later: ReadonlySet<number>): Line[] {
  const found = new Map((outcome.found ?? []).map((kept) => [kept[0], kept]));
  const tasks = Map.groupBy(outcome.tasks ?? [], ([call]) => call);
  const state = new Map<number, LeaseAnswer | null>();
  const left: Line[] = [];
  batch.forEach((line, i) => {
    try {
      const kept = found.get(i);
      const answers = new Map((tasks.get(i) ?? []).map(([, task, answer]) => [task, answer]));
      if (kept) line.resolve(replay<Answers>(kept, line.call.caller, outcome.asked));
      else if (later.has(i)) refuseOrLeave(line, state, outcome.moment, left);
      else {
        for (const [task, answer] of answers) state.set(task, answer);
        line.resolve(wordCall(line.call, answers, outcome.moment));
      }
    } catch (error) {
      line.reject(error);
    }
  });
  return left;
}

function wordCall(
  { verb, ids, caller }: LeaseCall,
  answers: ReadonlyMap<number, LeaseAnswer | null>,
  now: Millis,
): Answers {
  return each(ids, (id) => wordLease(verb, id, answers.get(id) ?? null, caller.fence, now));
}

/** Most of many that want one task are refused, and that is known now: the one before them holds it. */
function refuseOrLeave(line: Line, state: ReadonlyMap<number, LeaseAnswer | null>, now: Millis, left: Line[]): void {
  const { verb, ids, caller } = line.call;
  const [id = 0] = ids;
  const before = state.get(id);
  if (verb === "claim" && ids.length === 1 && before) decideClaim(afterwards(id, before), formatHolder(caller), now);
  left.push(line);
}
