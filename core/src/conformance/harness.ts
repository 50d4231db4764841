import { setTimeout as sleep } from "node:timers/promises";
import { expect, type TestContext } from "vitest";
import { formatHolder } from "../holder.ts";
import type { Caller, Ledger } from "../ledger.ts";
import { Refusal, type RefusalCode } from "../refusal.ts";
import type { NewTask, Task } from "../task.ts";
import type { Millis } from "../time.ts";

/** A store's clock that a test can move. */
export interface TestClock {
  now(): Millis;
  advance(ms: Millis): void;
  set(ms: Millis): void;
}

/** One empty ledger. */
export interface OpenedLedger {
  readonly ledger: Ledger;
  /** Another connection to the same store. */
  second(): Promise<Ledger>;
  /** Null when the store's clock cannot be moved: the tests then take short leases and wait. */
  readonly clock: TestClock | null;
  close(): Promise<void>;
}

/** What a store gives so that the suite can run against it. */
export interface Harness {
  open(): Promise<OpenedLedger>;
  /** The store takes a request's fingerprint itself, of all that was asked and by which session: a given one counts for nothing. */
  readonly ownFingerprints?: boolean;
  /** The shortest lease that the store grants, where the clock cannot be moved and tests wait it out. Default: 400 ms. */
  readonly shortest?: Millis;
}

export const ann: Caller = { actor: "ann", session: "s1" };
/** The same person in another terminal: another holder. */
export const annElsewhere: Caller = { actor: "ann", session: "s2" };
export const bob: Caller = { actor: "bob", session: "s1" };
export const eve: Caller = { actor: "eve", session: "s9" };

export const MINUTE: Millis = 60_000;

/** What a test of the suite gets. */
export class Bench {
  readonly ledger: Ledger;
  readonly clock: TestClock | null;
  readonly second: () => Promise<Ledger>;
  readonly #context: TestContext;
  readonly #shortest: Millis;

  constructor(opened: OpenedLedger, context: TestContext, { shortest = 400 }: Pick<Harness, "shortest"> = {}) {
    this.#shortest = shortest;
    this.ledger = opened.ledger;
    this.clock = opened.clock;
    this.second = opened.second;
    this.#context = context;
  }

  /** A lease length that a test may wait out. */
  get ttl(): Millis {
    return this.clock ? MINUTE : this.#shortest;
  }

  /** The clock, for a test that has no meaning without one that moves. */
  get movable(): TestClock {
    return this.clock ?? this.#context.skip("this store's clock cannot be moved");
  }

  /** Store time, from the store. */
  async now(): Promise<Millis> {
    return (await this.ledger.stats()).now;
  }

  /** Waits until store time is `at` or later; exactly `at` where the clock can be moved. */
  async reach(at: Millis): Promise<void> {
    if (this.clock) this.clock.set(at);
    else while ((await this.now()) < at) await sleep(20);
  }

  async addOne(task: Partial<NewTask> = {}, by: Caller = ann): Promise<number> {
    const [added] = await this.ledger.add([{ title: "work", ...task }], by);
    return present(added).task.id;
  }

  async addMany(n: number): Promise<number[]> {
    const tasks = Array.from({ length: n }, (_, i) => ({ title: `work ${i + 1}` }));
    return (await this.ledger.add(tasks, ann)).map((added) => added.task.id);
  }

  async claim(id: number, by: Caller, ttl = this.ttl) {
    return present((await this.ledger.claim([id], by, ttl))[0]);
  }

  async get(id: number) {
    return present((await this.ledger.get([id]))[0]);
  }

  /** Tasks as they are kept. A short lease may run out meanwhile, by itself: what is said of it then is left out. */
  async kept(ids: readonly number[]): Promise<Omit<Task, "lease_state">[]> {
    const tasks = ids.length > 0 ? await this.ledger.get(ids) : [];
    return this.clock ? tasks : tasks.map(({ lease_state: _derived, ...task }) => task);
  }

  async status(id: number, by: Caller = ann) {
    return present((await this.ledger.leaseStatus([id], by))[0]);
  }

  async kinds(id: number): Promise<string[]> {
    return (await this.ledger.events({ task: id })).map((event) => event.kind);
  }

  /** Claims for `by` and waits until that lease has run out. */
  async lapse(id: number, by: Caller) {
    const grant = await this.claim(id, by);
    await this.reach(grant.until);
    return grant;
  }

  /** Claims for `first`, lets it run out, and has `second` take it over. */
  async supersede(id: number, first: Caller, second: Caller) {
    await this.lapse(id, first);
    return this.claim(id, second, 10 * MINUTE);
  }

  /**
   * Expects `verb` to refuse with `code`, and everything about these tasks, and the journal, to stay as it was.
   * @returns the refusal.
   */
  async refused(code: RefusalCode, ids: readonly number[], verb: () => Promise<unknown>): Promise<Refusal> {
    const before = await this.#all(ids);
    const refusal = await refusalOf(verb());
    expect(refusal.code, refusal.message).toBe(code);
    expect(await this.#all(ids)).toEqual(before);
    return refusal;
  }

  async #all(ids: readonly number[]) {
    const { events, total, by_status } = await this.ledger.stats();
    return { tasks: await this.kept(ids), events, total, by_status };
  }
}

/** The refusal a promise is rejected with. Fails when it is not rejected, or with anything else. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) throw new Error(`not refused: ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof Refusal)) throw outcome.error;
  return outcome.error;
}

/** `value`, which a test knows to be there. */
export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("there is nothing here");
  return value;
}

export function holderOf(caller: Caller): string {
  return formatHolder(caller);
}

export type Test = (bench: Bench) => Promise<void>;

/** Makes a test body: opens an empty ledger, runs `test`, closes it whatever happens. */
export function onLedger(harness: Harness): (test: Test) => (context: TestContext) => Promise<void> {
  return (test) => async (context) => {
    const opened = await harness.open();
    try {
      await test(new Bench(opened, context, harness));
    } finally {
      await opened.close();
    }
  };
}
