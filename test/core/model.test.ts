import type { Caller, Ledger } from "@alai/core/ledger";
import { Refusal } from "@alai/core/refusal";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import fc from "fast-check";
import { expect, it } from "vitest";
import { folder } from "./folder.ts";
import { live, type ModelTask, TTL, VERBS } from "./lease-model.ts";

const SEED = Number(process.env.ALAI_SEED ?? 20_260_508);
const RUNS = Number(process.env.ALAI_RUNS ?? 120);
const CALLERS = ["ann:1", "ann:2", "bob:1"] as const;

interface Model {
  now: number;
  tasks: ModelTask[];
}

interface Real {
  ledger: Ledger;
  clock: { now: number };
}

function caller(name: string): Caller {
  const [actor = "", session = ""] = name.split(":");
  return { actor, session };
}

async function perform(real: Real, verb: string, id: number, by: string): Promise<string> {
  const who = caller(by);
  const { ledger } = real;
  switch (verb) {
    case "claim": {
      const [grant] = await ledger.claim([id], who, TTL);
      return `fence ${grant?.fence}${grant?.idempotent ? " again" : ""}`;
    }
    case "extend":
      await ledger.extend([id], who, TTL);
      return "ok";
    case "release":
      return (await ledger.release([id], who))[0]?.already_free ? "already" : "ok";
    case "done":
      await ledger.setStatus([id], { verb: "done" }, who);
      return "ok";
    case "reopen":
      await ledger.setStatus([id], { verb: "reopened" }, who);
      return "ok";
    default:
      await ledger.edit([id], { description: `${real.clock.now} ${Math.random()}` }, who);
      return "ok";
  }
}

/** Every task looks as the model says, to the millisecond. */
async function compare(model: Model, real: Real): Promise<void> {
  const tasks = await real.ledger.get(model.tasks.map((task) => task.id));
  const seen = tasks.map((task) => [task.status, task.lease_state, task.lease_holder, task.lease_until, task.fence]);
  expect(seen).toEqual(
    model.tasks.map((task) => {
      const state = task.holder === null ? "free" : live(task, model.now) ? "held" : "expired";
      return [task.open ? "open" : "done", state, task.holder, task.holder === null ? null : task.until, task.fence];
    }),
  );
}

class Verb implements fc.AsyncCommand<Model, Real> {
  readonly #verb: string;
  readonly #by: string;
  readonly #task: number;
  constructor(verb: string, by: string, task: number) {
    this.#verb = verb;
    this.#by = by;
    this.#task = task;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const task = model.tasks[this.#task];
    if (!task) return;
    const expected = VERBS[this.#verb]?.(task, this.#by, model.now);
    const answer = await perform(real, this.#verb, task.id, this.#by).catch((error: unknown) => {
      if (error instanceof Refusal) return error.code;
      throw error;
    });
    expect(answer, String(this)).toBe(expected);
    await compare(model, real);
  }
  toString = () => `${this.#by} ${this.#verb} ${this.#task + 1}`;
}

class Sweep implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const lapsed = model.tasks.filter((task) => task.holder !== null && !live(task, model.now));
    const swept = await real.ledger.sweep(caller("sweeper:1"), true);
    expect(swept.map((lease) => [lease.id, lease.holder, lease.until])).toEqual(
      lapsed.map((task) => [task.id, task.holder, task.until]),
    );
    for (const task of lapsed) task.holder = null;
    await compare(model, real);
  }
  toString = () => "sweep";
}

/** Moves the clock close to a task's expiry, the expiry itself included, or just on. */
class Wait implements fc.AsyncCommand<Model, Real> {
  readonly #task: number;
  readonly #offset: number;
  constructor(task: number, offset: number) {
    this.#task = task;
    this.#offset = offset;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const task = model.tasks[this.#task];
    const at = task && live(task, model.now) ? task.until + this.#offset : model.now + 250;
    model.now = Math.max(model.now, at);
    real.clock.now = model.now;
    await compare(model, real);
  }
  toString = () => `wait until ${this.#offset} ms from the end of task ${this.#task + 1}`;
}

const task = fc.nat({ max: 2 });
const verb = (name: string) =>
  fc.record({ by: fc.constantFrom(...CALLERS), task }).map((what) => new Verb(name, what.by, what.task));

it(`follows the lease rules in any order of calls (seed ${SEED})`, { timeout: 300_000 }, async () => {
  const temp = folder();
  const clock = { now: Date.UTC(2026, 4, 8) };
  // One file for all runs, with new tasks for each: opening a file costs more than a run.
  const ledger = await SqliteLedger.open(temp.file("model.db"), { missing: "create", clock: () => clock.now });
  const commands = fc.commands(
    [
      verb("claim"),
      verb("claim"),
      verb("extend"),
      verb("release"),
      verb("done"),
      verb("reopen"),
      verb("edit"),
      fc.constant(new Sweep()),
      fc.record({ task, offset: fc.constantFrom(-1, 0, 1) }).map((to) => new Wait(to.task, to.offset)),
    ],
    { maxCommands: 40, size: "max" },
  );
  try {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const setup = async () => {
          clock.now += 10 * TTL;
          await ledger.sweep(caller("setup:1"), true);
          const added = await ledger.add([{ title: "1" }, { title: "2" }, { title: "3" }], caller("setup:1"));
          const tasks = added.map((one) => ({
            id: one.task.id,
            open: true,
            holder: null,
            until: 0,
            fence: 0,
            grants: [],
          }));
          return { model: { now: clock.now, tasks }, real: { ledger, clock } };
        };
        await fc.asyncModelRun(setup, list);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: false },
    );
  } finally {
    ledger.close();
    temp.remove();
  }
});
