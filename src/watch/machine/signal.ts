import type { Millis } from "@alai/core";

/**
 * Whether something answers, steadied: lost after some misses in a row; back at once the first time, and after it has answered
 * for longer and longer when it comes and goes. All times are ages of the host's state, which no clock's step can move.
 */
export interface Signal {
  readonly lost: boolean;
  /** Rounds without an answer, in a row. */
  readonly misses: number;
  /** Age at the first miss of the row, or of the outage that lasts; null while it answers. */
  readonly missedAt: Millis | null;
  /** While it is lost: age since which it answers again; null when the last round was a miss. */
  readonly answersSince: Millis | null;
  /** Ages at which it came back, none older than WINDOW; the last is moved on while it comes and goes. */
  readonly backs: readonly Millis[];
}

export const FRESH: Signal = { lost: false, misses: 0, missedAt: null, answersSince: null, backs: [] };

/** What came back within this time and is lost again is not steady. */
const WINDOW: Millis = 30 * 60_000;
const FIRST_HOLD: Millis = 60_000;
const LONGEST_HOLD: Millis = 15 * 60_000;

/** How long it must answer before it counts as back. Doubled with each time it came back within the last half hour. */
export function holdOf(backs: readonly Millis[]): Millis {
  return backs.length === 0 ? 0 : Math.min(LONGEST_HOLD, FIRST_HOLD * 2 ** (backs.length - 1));
}

/** Those of these ages that still count at this one. */
export function recent(ages: readonly Millis[], age: Millis): readonly Millis[] {
  return ages.filter((at) => age - at < WINDOW);
}

/** @param misses how many in a row make it lost. */
export function stepSignal(before: Signal, answered: boolean, age: Millis, misses: number): Signal {
  const backs = recent(before.backs, age);
  if (!answered) return miss({ ...before, backs }, age, misses);
  if (!before.lost) return { ...FRESH, backs };
  const answersSince = before.answersSince ?? age;
  return age - answersSince >= holdOf(backs)
    ? { ...FRESH, backs: [...backs, age] }
    : { ...before, backs, misses: 0, answersSince };
}

function miss(before: Signal, age: Millis, misses: number): Signal {
  const inARow = before.misses + 1;
  // It had come, and is gone again: as long as it does so, it is not steady, however long ago it last counted as back.
  const comesAndGoes = before.answersSince !== null && before.backs.length > 0;
  return {
    ...before,
    backs: comesAndGoes ? [...before.backs.slice(0, -1), age] : before.backs,
    misses: inARow,
    missedAt: before.missedAt ?? age,
    answersSince: null,
    lost: before.lost || inARow >= misses,
  };
}
