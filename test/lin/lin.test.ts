import { expect, test } from "vitest";
import { check, explain, type Verdict } from "./checker.ts";
import { withSharedClock } from "./clock.ts";
import type { Operation } from "./history.ts";
import { violations } from "./invariants.ts";
import { Random } from "./random.ts";
import { type Run, seedFromEnvironment, withRun } from "./workload.ts";

/** Real processes on one file. `ALAI_LIN_SEED=…` repeats a run's wishes and faults (not its interleaving). */

test("10,000 operations by 16 processes are linearizable, with some killed and some stopped past their lease", {
  timeout: 300_000,
}, async () => {
  const seed = seedFromEnvironment();
  const faults = { count: 60, every: 400 };
  const plan = { seed, processes: 16, operations: 10_000, tasks: 20, think: 14, faults, dieChance: 0.004 };
  await withRun(plan, (run) => {
    const verdict = check(run.history);
    report(seed, run, verdict);
    expect(run.errors).toEqual([]);
    expect(run.invoked).toBe(10_000);
    expect(run.unknown).toBeGreaterThan(0);
    expect(explain(verdict)).toBe("linearizable");
    expect(violations(run.file, run.history)).toEqual([]);
    for (const lie of lies(run.history, new Random(seed), 20)) expect(check(lie).ok).toBe(false);
  });
});

test("clocks that step by an hour back and forth never make two holders or an early takeover", {
  timeout: 300_000,
}, async () => {
  const seed = seedFromEnvironment();
  const plan = { seed, processes: 8, operations: 3000, tasks: 8, think: 8, clockSteps: true, dieChance: 0.002 };
  await withRun(plan, (run) => {
    const verdict = check(withSharedClock(run.history));
    report(seed, run, verdict);
    expect(run.errors).toEqual([]);
    expect(violations(run.file, run.history)).toEqual([]);
    expect(explain(verdict)).toBe("linearizable");
  });
});

test("the same processes on a ledger that reads, then writes, are found out", { timeout: 300_000 }, async () => {
  const seed = seedFromEnvironment();
  const plan = { seed, processes: 8, operations: 800, tasks: 2, think: 4, fault: "read-then-write" } as const;
  await withRun(plan, (run) => {
    const found = violations(run.file, run.history);
    const verdict = check(run.history);
    console.info(`seed ${seed}: ${found.length} violations, ${verdict.failures.length} tasks not linearizable`);
    expect(verdict.ok).toBe(false);
    expect(found).not.toEqual([]);
  });
});

/** The history of one task with one grant's fence told as that of the next: the checker must find it amid the noise. */
function* lies(history: readonly Operation[], random: Random, count: number): Generator<Operation[]> {
  const gains = new Map(history.filter(isNewGrant).map((op) => [`${op.task}/${fenceOf(op)}`, op]));
  const followed = [...gains.values()].filter((op) => gains.has(`${op.task}/${fenceOf(op) + 1}`));
  for (let i = 0; i < count; i += 1) {
    const one = random.pick(followed);
    if (one?.outcome?.type !== "granted") throw new Error("no grant to tell a lie of");
    const outcome = { ...one.outcome, fence: one.outcome.fence + 1 };
    yield history.filter((op) => op.task === one.task).map((op) => (op === one ? { ...op, outcome } : op));
  }
}

function isNewGrant({ kind, outcome }: Operation): boolean {
  return kind === "claim" && outcome?.type === "granted" && !outcome.idempotent;
}

function fenceOf({ outcome }: Operation): number {
  return outcome?.type === "granted" ? outcome.fence : 0;
}

function report(seed: number, run: Run, verdict: Verdict): void {
  const outcomes = Map.groupBy(run.history, ({ kind, outcome }) => {
    if (outcome === null) return `${kind} unknown`;
    return `${kind} ${outcome.type === "refused" ? outcome.code : outcome.type}`;
  });
  const counts = [...outcomes].map(([name, list]) => `${name} ${list.length}`).sort();
  console.info(
    [
      `seed ${seed}: ${run.invoked} operations in ${(run.ms / 1000).toFixed(1)} s, ${run.killed} processes killed, ` +
        `${run.stopped} stopped, ${run.unknown} answers lost; ${verdict.visited} configurations visited`,
      counts.join(", "),
    ].join("\n"),
  );
}
