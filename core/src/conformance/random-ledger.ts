import type { Caller, Ledger } from "../ledger.ts";
import { BadInput, Refusal } from "../refusal.ts";
import type { Priority } from "../vocabulary.ts";
import { MINUTE } from "./harness.ts";

/** A number from 0 up to, not including, `below`. */
export type Dice = (below: number) => number;

/** The same numbers for the same seed (mulberry32). */
export function dice(seed: number): Dice {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export const CALLERS: readonly Caller[] = ["ann:s1", "ann:s2", "bob:s1", "eve:s9"].map((name) => {
  const [actor = "", session = ""] = name.split(":");
  return { actor, session };
});

const WORDS = ["", "plain", "ä 🜨 'q' \"qq\" \\ \n\t", "null", "[]", "%_", "  spaces  "] as const;
const STATUSES = ["done", "ready", "paused", "reopened", "cancelled"] as const;

/** One call of a random verb. The same dice and the same ledger give the same call. */
export type Step = (ledger: Ledger) => Promise<unknown>;

/** Draws a step. `now` is the store's time; every number it needs is drawn here, so that two ledgers can take one step. */
export function drawStep(roll: Dice, now: number): Step {
  const by = CALLERS[roll(CALLERS.length)] as Caller;
  const id = 1 + roll(12);
  const other = 1 + roll(12);
  const word = `${WORDS[roll(WORDS.length)]}`;
  const n = roll(1_000_000);
  const file = { path: `${n}.png`, sha256: `${n}`.padEnd(64, "a"), size: n };
  const verb = STATUSES[roll(STATUSES.length)] ?? "done";
  const reason = roll(2) ? word : undefined;
  const steps: readonly Step[] = [
    (to) =>
      to.add(
        [
          {
            title: `t${n} ${word}`,
            description: word || null,
            priority: (n % 5) as Priority,
            tags: n % 2 ? ["a", `b${n}`] : [],
            project: n % 3 ? word || null : null,
            due: n % 4 ? null : now + n,
            ...(n % 7 === 0 && { dedup_key: `k${n % 49}` }),
          },
        ],
        by,
      ),
    (to) =>
      to.edit([id], { title: `e${n}`, owner: word || null, addTags: [`c${n % 3}`], due: n % 2 ? now - n : null }, by),
    (to) => to.note([id], `n${n} ${word}`, by),
    (to) => to.setStatus([id], { verb, reason, evidence: n % 2 ? [file] : [] }, by),
    (to) => to.addDependency(id, [other], by),
    (to) => to.removeDependency(id, [other], by),
    (to) => to.next({}, by, { ttl: 10 * MINUTE }),
    (to) => to.claim([id], by, (1 + (n % 20)) * MINUTE),
    (to) => to.claim([id, other], by, 10 * MINUTE),
    (to) => to.extend([id], by),
    (to) => to.release([id], by),
    (to) => to.sweep(by, true),
    (to) => to.approve([id], word || "why", (1 + (n % 90)) * MINUTE, by),
    (to) => to.undo(null, by),
    (to) => to.import([{ id: n % 15 || 1, title: `i${n}`, created_at: 1e12 + n, notes: [word], evidence: [file] }], by),
  ];
  return steps[roll(steps.length)] as Step;
}

/** What came of a step: its answer, or the refusal in words. */
export async function outcomeOf(step: Promise<unknown>): Promise<object> {
  try {
    return { answer: await step };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.code, message: error.message };
    if (error instanceof BadInput) return { bad: error.message };
    throw error;
  }
}
